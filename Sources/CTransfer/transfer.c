#include "ctransfer.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>

_Static_assert(CTRANSFER_MESSAGE_BYTE_COUNT >= CURL_ERROR_SIZE, "libcurl writes that much");

static CURLcode started;
static void start(void) { started = curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t on_header(char *line, size_t one, size_t byte_count, void *context) {
    const struct CTransfer_callbacks *callbacks = context;
    callbacks->header(callbacks->context, line, one * byte_count);
    return one * byte_count;
}

static size_t on_data(char *bytes, size_t one, size_t byte_count, void *context) {
    const struct CTransfer_callbacks *callbacks = context;
    return callbacks->data(callbacks->context, bytes, one * byte_count) ? one * byte_count : 0;
}

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

static CURLcode prepare(
    CURL *curl,
    const struct CTransfer_request *request,
    const struct CTransfer_callbacks *callbacks
) {
    CURLcode code = allow_protocols(curl, request->allows_http);
#define SET(option, value) if (!code) code = curl_easy_setopt(curl, option, value)
    SET(CURLOPT_URL, request->address);
    SET(CURLOPT_USERAGENT, "likeness");
    SET(CURLOPT_FOLLOWLOCATION, 1L);
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
    if (request->allows_http) SET(CURLOPT_NOPROXY, "*");
    if (request->offset) {
        // Not CURLOPT_RESUME_FROM_LARGE, which takes a server that answers with the whole file for an error.
        char range[32];
        snprintf(range, sizeof range, "%llu-", (unsigned long long)request->offset);
        SET(CURLOPT_RANGE, range);
    }
#undef SET
    return code;
}

/* What an error means, by how far the transfer `curl` came. */
static enum CTransfer_outcome outcome_of(CURLcode code, CURL *curl) {
    curl_off_t connected = 0;
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_PRETRANSFER_TIME_T, &connected);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    switch (code) {
    case CURLE_OK: return CTransfer_ended;
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
    // It also says that a reply is no HTTP/1 at all.
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_TOO_MANY_REDIRECTS: return status >= 300 && status < 400 ? CTransfer_misdirected : CTransfer_broken;
    default: return CTransfer_broken;
    }
}

enum CTransfer_outcome CTransfer_run(
    const struct CTransfer_request *request,
    const struct CTransfer_callbacks *callbacks,
    char *message
) {
    // Before 7.84 the library's own start is not safe among threads.
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start);
    message[0] = 0;
    CURL *curl = started == CURLE_OK ? curl_easy_init() : NULL;
    if (!curl) {
        snprintf(message, CTRANSFER_MESSAGE_BYTE_COUNT, "libcurl does not start");
        return CTransfer_broken;
    }
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
    CURLcode code = prepare(curl, request, callbacks);
    if (!code) code = curl_easy_perform(curl);
    enum CTransfer_outcome outcome = outcome_of(code, curl);
    curl_easy_cleanup(curl);
    if (code && !message[0]) snprintf(message, CTRANSFER_MESSAGE_BYTE_COUNT, "%s", curl_easy_strerror(code));
    return outcome;
}
