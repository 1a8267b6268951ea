#include "cserver.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *connection_of(struct MHD_Connection *request) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

static void on_notice(
    void *context,
    struct MHD_Connection *request,
    void **connection,
    enum MHD_ConnectionNotificationCode code
) {
    const struct CServer_callbacks *callbacks = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(request, MHD_CONNECTION_INFO_CONNECTION_FD);
        *connection = callbacks->opened(callbacks->context, info ? info->connect_fd : -1);
    } else if (*connection) {
        callbacks->closed(callbacks->context, *connection);
        *connection = NULL;
    }
}

static void *on_target(void *context, const char *target, struct MHD_Connection *request) {
    const struct CServer_callbacks *callbacks = context;
    void *connection = connection_of(request);
    if (connection) callbacks->begun(callbacks->context, connection, target);
    return connection;
}

static enum MHD_Result on_step(
    void *context,
    struct MHD_Connection *request,
    const char *path,
    const char *method,
    const char *version,
    const char *data,
    size_t *byte_count,
    void **connection
) {
    (void)path;
    const struct CServer_callbacks *callbacks = context;
    if (!*connection) return MHD_NO;
    int goes_on =
        callbacks->step(callbacks->context, *connection, request, method, version, data, *byte_count);
    *byte_count = 0;
    return goes_on ? MHD_YES : MHD_NO;
}

static void on_end(
    void *context,
    struct MHD_Connection *request,
    void **connection,
    enum MHD_RequestTerminationCode code
) {
    (void)request;
    (void)code;
    const struct CServer_callbacks *callbacks = context;
    if (*connection) callbacks->ended(callbacks->context, *connection);
}

static void on_message(void *context, const char *format, va_list arguments) {
    const struct CServer_callbacks *callbacks = context;
    char text[512];
    if (vsnprintf(text, sizeof text, format, arguments) >= 0) callbacks->message(callbacks->context, text);
}

struct MHD_Daemon *CServer_start(const struct CServer_options *options, const struct CServer_callbacks *callbacks) {
    void *context = (void *)callbacks;
    // -1: a request without Host reaches the handler, which refuses it in the same form as everything else.
    return MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_ITC | MHD_USE_ERROR_LOG,
        0, NULL, NULL, on_step, context,
        MHD_OPTION_EXTERNAL_LOGGER, on_message, context,
        MHD_OPTION_LISTEN_SOCKET, (MHD_socket)options->socket,
        MHD_OPTION_CONNECTION_LIMIT, options->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, options->connection_byte_count,
        MHD_OPTION_THREAD_STACK_SIZE, options->stack_byte_count,
        MHD_OPTION_STRICT_FOR_CLIENT, -1,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, context,
        MHD_OPTION_NOTIFY_CONNECTION, on_notice, context,
        MHD_OPTION_NOTIFY_COMPLETED, on_end, context,
        MHD_OPTION_END
    );
}

void CServer_quiesce(struct MHD_Daemon *daemon) { MHD_quiesce_daemon(daemon); }

void CServer_stop(struct MHD_Daemon *daemon) { MHD_stop_daemon(daemon); }

struct header_visit {
    void *context;
    void (*each)(void *, const char *, size_t, const char *, size_t);
};

static enum MHD_Result on_header(
    void *context,
    enum MHD_ValueKind kind,
    const char *name,
    size_t name_count,
    const char *value,
    size_t value_count
) {
    (void)kind;
    const struct header_visit *visit = context;
    visit->each(visit->context, name, name_count, value, value_count);
    return MHD_YES;
}

void CServer_each_header(
    struct MHD_Connection *request,
    void *context,
    void (*each)(void *, const char *, size_t, const char *, size_t)
) {
    struct header_visit visit = {context, each};
    MHD_get_connection_values_n(request, MHD_HEADER_KIND, on_header, &visit);
}

enum { stream_block_byte_count = 64 * 1024 };

static ssize_t on_stream(void *context, uint64_t position, char *buffer, size_t capacity) {
    (void)position;
    const struct CServer_stream *stream = context;
    int64_t count = stream->read(stream->context, buffer, capacity);
    if (count > 0) return (ssize_t)count;
    return count == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void on_stream_end(void *context) {
    struct CServer_stream *stream = context;
    stream->release(stream->context);
    free(stream);
}

static struct MHD_Response *stream_response(const struct CServer_stream *stream) {
    struct CServer_stream *own = malloc(sizeof *own);
    struct MHD_Response *response = NULL;
    if (own) {
        *own = *stream;
        response = MHD_create_response_from_callback(
            MHD_SIZE_UNKNOWN, stream_block_byte_count, on_stream, own, on_stream_end);
    }
    if (!response) {
        free(own);
        stream->release(stream->context);
    }
    return response;
}

int CServer_reply(
    struct MHD_Connection *request,
    unsigned int status,
    const char *const *fields,
    size_t field_count,
    struct CServer_body body
) {
    struct MHD_Response *response;
    if (body.stream) {
        response = stream_response(body.stream);
    } else if (body.descriptor >= 0) {
        response = MHD_create_response_from_fd64(body.byte_count, body.descriptor);
        if (!response) close(body.descriptor);
    } else {
        // The library takes a non-const pointer and, told to copy, only reads from it.
        response = MHD_create_response_from_buffer(
            (size_t)body.byte_count, (void *)body.bytes, MHD_RESPMEM_MUST_COPY);
    }
    if (!response) return 0;
    int queued = 1;
    for (size_t i = 0; i + 1 < field_count && queued; i += 2) {
        queued = MHD_add_response_header(response, fields[i], fields[i + 1]) == MHD_YES;
    }
    queued = queued && MHD_queue_response(request, status, response) == MHD_YES;
    MHD_destroy_response(response);
    return queued;
}

const char *CServer_reason(unsigned int status) { return MHD_get_reason_phrase_for(status); }

const char *CServer_library_version(void) { return MHD_get_version(); }
