#include "ctransfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

_Static_assert(CTRANSFER_MESSAGE_BYTE_COUNT >= CURL_ERROR_SIZE, "libcurl writes that much");

static CURLcode started;
static void start(void) { started = curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t on_header(char *line, size_t one, size_t byte_count, void *context) {
    const struct CTransfer_callbacks *callbacks = context;
    return callbacks->header(callbacks->context, line, one * byte_count) ? one * byte_count : 0;
}

static size_t on_data(char *bytes, size_t one, size_t byte_count, void *context) {
    const struct CTransfer_callbacks *callbacks = context;
    return callbacks->data(callbacks->context, bytes, one * byte_count) ? one * byte_count : 0;
}

static size_t on_body(char *bytes, size_t one, size_t byte_limit, void *context) {
    const struct CTransfer_callbacks *callbacks = context;
    ptrdiff_t byte_count = callbacks->body(callbacks->context, bytes, one * byte_limit);
    return byte_count < 0 ? CURL_READFUNC_ABORT : (size_t)byte_count;
}

// MARK: Options

/* `CURLOPT_PROTOCOLS` is deprecated since 7.85, which brought its successor; Ubuntu 22.04 has 7.81. */
static CURLcode allow_protocols(CURL *curl, int allows_http) {
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, allows_http ? "http,https" : "https");
    if (!code) code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
#else
    long first = allows_http ? CURLPROTO_HTTP | CURLPROTO_HTTPS : CURLPROTO_HTTPS;
    CURLcode code = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, first);
    if (!code) code = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, (long)CURLPROTO_HTTPS);
#endif
    return code;
}

#define SET(option, value) if (!code) code = curl_easy_setopt(curl, option, value)

static CURLcode prepare_socket(CURL *curl, const struct CTransfer_request *request) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_UNIX_SOCKET_PATH, request->socket_path);
    SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    SET(CURLOPT_PATH_AS_IS, 1L);
    // Nothing here needs SIGPIPE ignored, and a command whose output nobody reads is to end by it.
    SET(CURLOPT_NOSIGNAL, 1L);
    return code;
}

static CURLcode add_field(struct curl_slist **fields, const char *name, const char *value) {
    char field[512];
    if (snprintf(field, sizeof field, "%s: %s", name, value) >= (int)sizeof field) return CURLE_BAD_FUNCTION_ARGUMENT;
    struct curl_slist *longer = curl_slist_append(*fields, field);
    if (longer) *fields = longer;
    return longer ? CURLE_OK : CURLE_OUT_OF_MEMORY;
}

static CURLcode prepare_body(
    CURL *curl,
    const struct CTransfer_request *request,
    const struct CTransfer_callbacks *callbacks,
    struct curl_slist **fields
) {
    CURLcode code = CURLE_OK;
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_byte_count);
    SET(CURLOPT_READFUNCTION, on_body);
    SET(CURLOPT_READDATA, (void *)callbacks);
    SET(CURLOPT_UPLOAD_BUFFERSIZE, 1L << 20);
    if (!code && request->body_type) code = add_field(fields, "Content-Type", request->body_type);
    // A body is sent once it was asked for, or after a second without a word, so that a refusal comes before it.
    if (!code && request->body_byte_count > 0) code = add_field(fields, "Expect", "100-continue");
    return code;
}

static CURLcode prepare(
    CURL *curl,
    const struct CTransfer_request *request,
    const struct CTransfer_callbacks *callbacks,
    struct curl_slist **fields
) {
    CURLcode code = allow_protocols(curl, request->allows_http || request->socket_path);
    SET(CURLOPT_URL, request->address);
    SET(CURLOPT_USERAGENT, "likeness");
    SET(CURLOPT_FOLLOWLOCATION, (long)(request->redirect_limit > 0));
    SET(CURLOPT_MAXREDIRS, request->redirect_limit);
    SET(CURLOPT_CONNECTTIMEOUT, request->connect_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, 1L);
    SET(CURLOPT_LOW_SPEED_TIME, request->stall_seconds);
    SET(CURLOPT_BUFFERSIZE, 256L << 10);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, (void *)callbacks);
    SET(CURLOPT_WRITEFUNCTION, on_data);
    SET(CURLOPT_WRITEDATA, (void *)callbacks);
    if (request->allows_http || request->socket_path) SET(CURLOPT_NOPROXY, "*");
    if (!code && request->socket_path) code = prepare_socket(curl, request);
    if (!code && request->accepted_type) code = add_field(fields, "Accept", request->accepted_type);
    if (!code && request->body_byte_count >= 0) code = prepare_body(curl, request, callbacks, fields);
    if (request->offset) {
        // Not CURLOPT_RESUME_FROM_LARGE, which takes a server that answers with the whole file for an error.
        char range[32];
        snprintf(range, sizeof range, "%llu-", (unsigned long long)request->offset);
        SET(CURLOPT_RANGE, range);
    }
    SET(CURLOPT_HTTPHEADER, *fields);
    // After CURLOPT_UPLOAD, which chooses PUT.
    SET(CURLOPT_CUSTOMREQUEST, request->method);
    return code;
}

#undef SET

// MARK: The exchange

/* What an error means, by how far the transfer `curl` came. */
static enum CTransfer_outcome outcome_of(CURLcode code, CURL *curl) {
    curl_off_t connected = 0;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    switch (code) {
    case CURLE_OK: return CTransfer_ended;
    case CURLE_ABORTED_BY_CALLBACK:
    case CURLE_WRITE_ERROR: return CTransfer_refused;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT: return CTransfer_unreachable;
    case CURLE_OPERATION_TIMEDOUT: return connected ? CTransfer_stalled : CTransfer_unreachable;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_PEER_FAILED_VERIFICATION: return CTransfer_untrusted;
    case CURLE_SEND_ERROR: return CTransfer_unsent;
    case CURLE_WEIRD_SERVER_REPLY: return CTransfer_malformed;
    // It also says that a reply is no HTTP/1 at all.
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS: return status >= 300 && status < 400 ? CTransfer_misdirected : CTransfer_malformed;
    default: return CTransfer_broken;
    }
}

/* The `errno` of a Unix socket that did not connect. A full backlog, EAGAIN, libcurl takes for a connection under way: what
   follows fails without an error, or because the socket is not connected. */
static int error_of(enum CTransfer_outcome outcome, CURL *curl, const struct CTransfer_request *request) {
    long error = 0;
    curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
    if (!request->socket_path) return 0;
    if (outcome == CTransfer_unreachable) return error ? (int)error : EAGAIN;
    return outcome == CTransfer_unsent && error == ENOTCONN ? EAGAIN : 0;
}

/* Between two attempts to connect. */
#define BACKLOG_MILLISECONDS 20

static time_t monotonic_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

enum CTransfer_outcome CTransfer_run(
    const struct CTransfer_request *request,
    const struct CTransfer_callbacks *callbacks,
    int *system_error,
    char *message
) {
    // Before 7.84 the library's own start is not safe among threads.
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    *system_error = 0;
    message[0] = 0;
    if (request->socket_path && strlen(request->socket_path) >= sizeof((struct sockaddr_un *)0)->sun_path) {
        *system_error = ENAMETOOLONG;
        return CTransfer_unreachable;
    }
    CURL *curl = started == CURLE_OK ? curl_easy_init() : NULL;
    if (!curl) {
        snprintf(message, CTRANSFER_MESSAGE_BYTE_COUNT, "libcurl does not start");
        return CTransfer_broken;
    }
    struct curl_slist *fields = NULL;
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    CURLcode code = prepare(curl, request, callbacks, &fields);
    enum CTransfer_outcome outcome = CTransfer_broken;
    const time_t begin = monotonic_seconds();
    while (!code) {
        code = curl_easy_perform(curl);
        outcome = outcome_of(code, curl);
        *system_error = error_of(outcome, curl, request);
        if (*system_error != EAGAIN || monotonic_seconds() - begin > request->connect_seconds) break;
        nanosleep(&(struct timespec){.tv_nsec = BACKLOG_MILLISECONDS * 1000000}, NULL);
        code = CURLE_OK;
    }
    if (*system_error == EAGAIN) outcome = CTransfer_unreachable;
    curl_easy_cleanup(curl);
    curl_slist_free_all(fields);
    if (code && !message[0]) snprintf(message, CTRANSFER_MESSAGE_BYTE_COUNT, "%s", curl_easy_strerror(code));
    return outcome;
}
