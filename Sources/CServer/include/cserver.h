#ifndef CSERVER_H
#define CSERVER_H

#include <stddef.h>
#include <stdint.h>

/* libmicrohttpd without its variadic calls and unions, which Swift cannot use: one thread a connection, a listening
   socket made by the caller, and five moments in the life of a connection. */

struct MHD_Daemon;
struct MHD_Connection;

/* All are called with `context`. `connection` is what `opened` returned. */
struct CServer_callbacks {
    void *_Nonnull context;
    /* On the accepting thread, before anything is read. The socket stays open until `closed` has returned. */
    void *_Nonnull (*_Nonnull opened)(void *_Nonnull context, int socket);
    void (*_Nonnull closed)(void *_Nonnull context, void *_Nonnull connection);
    /* The request line has arrived: path and query as sent. */
    void (*_Nonnull begun)(void *_Nonnull context, void *_Nonnull connection, const char *_Nonnull target);
    /* First when the headers are there, then for each piece of body, at last with nothing. It consumes all of `data`.
       Returns 1 to go on, 0 to drop the connection. `CServer_reply` is allowed in the first call and in the last. */
    int (*_Nonnull step)(
        void *_Nonnull context,
        void *_Nonnull connection,
        struct MHD_Connection *_Nonnull request,
        const char *_Nonnull method,
        const char *_Nonnull version,
        const char *_Nullable data,
        size_t byte_count
    );
    /* After the last byte of the reply, or when the connection broke. */
    void (*_Nonnull ended)(void *_Nonnull context, void *_Nonnull connection);
    /* A line of the library's own log. */
    void (*_Nonnull message)(void *_Nonnull context, const char *_Nonnull text);
};

struct CServer_options {
    /* Listening, non-blocking; stays the caller's. */
    int socket;
    /* Connections above it are closed as soon as they are accepted. */
    unsigned int connection_limit;
    size_t stack_byte_count;
    /* Buffers of one connection; bounds the request's headers. */
    size_t connection_byte_count;
};

/* Starts to accept. `callbacks` must stay where it is until `CServer_stop` has returned. NULL on failure. */
struct MHD_Daemon *_Nullable CServer_start(
    const struct CServer_options *_Nonnull options,
    const struct CServer_callbacks *_Nonnull callbacks
);

/* Accepts nothing more; connections go on. */
void CServer_quiesce(struct MHD_Daemon *_Nonnull daemon);

/* Shuts down what is left, waits for all handlers and frees everything. */
void CServer_stop(struct MHD_Daemon *_Nonnull daemon);

/* Calls `each` for every header field of the request, in order, repeated ones too. */
void CServer_each_header(
    struct MHD_Connection *_Nonnull request,
    void *_Nonnull context,
    void (*_Nonnull each)(
        void *_Nonnull context,
        const char *_Nonnull name,
        size_t name_count,
        const char *_Nullable value,
        size_t value_count
    )
);

/* A body that is made while it is sent, in chunks, on the connection's thread. */
struct CServer_stream {
    void *_Nonnull context;
    /* Fills up to `capacity` bytes. Returns how many, 0 at the end, -1 to break the connection: the client then knows that the
       body is not whole. May block. */
    int64_t (*_Nonnull read)(void *_Nonnull context, char *_Nonnull buffer, size_t capacity);
    /* Called once, whatever happens. */
    void (*_Nonnull release)(void *_Nonnull context);
};

/* A reply's body: `byte_count` bytes at `bytes`, copied, or of the file `descriptor` when that is not -1, or of `stream` when
   that is not NULL; the descriptor is closed and the stream released in any case. */
struct CServer_body {
    const void *_Nullable bytes;
    uint64_t byte_count;
    int descriptor;
    const struct CServer_stream *_Nullable stream;
};

/* Queues the reply. `fields` holds name, value, name, value, ... Returns 1, or 0 when it could not be queued. */
int CServer_reply(
    struct MHD_Connection *_Nonnull request,
    unsigned int status,
    const char *_Nonnull const *_Nonnull fields,
    size_t field_count,
    struct CServer_body body
);

/* A file of the page, compiled in; NULL for any other name. */
const unsigned char *_Nullable CServer_asset(const char *_Nonnull name, size_t *_Nonnull byte_count);

/* Such as "Not Found". */
const char *_Nonnull CServer_reason(unsigned int status);

/* The library's version, such as "0.9.75". */
const char *_Nonnull CServer_library_version(void);

#endif
