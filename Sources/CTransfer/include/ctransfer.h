#ifndef CTRANSFER_H
#define CTRANSFER_H

#include <stddef.h>
#include <stdint.h>

/* One HTTP exchange by libcurl, without its variadic calls, which Swift cannot use. There are two kinds. One goes to a
   Unix socket: HTTP/1.1 and no redirects. The other is a download: certificates are checked, proxies are taken from the
   usual variables (`https_proxy`, `no_proxy`, ...), and redirects lead to `https:` only. */

struct CTransfer_request {
    const char *_Nonnull method;
    /* Absolute, `https:`, or `http:` where `allows_http` or `socket_path` says so. */
    const char *_Nonnull address;
    /* The Unix socket that the request goes to, whatever host the address names. */
    const char *_Nullable socket_path;
    /* For loopback: plain HTTP to the address itself, past any proxy. */
    int allows_http;
    /* Value of `Accept`; NULL accepts everything. */
    const char *_Nullable accepted_type;
    /* The first byte wanted: above 0, a `Range` field asks for the rest of the file. */
    uint64_t offset;
    /* Bytes of the request's body; below 0, there is none. */
    int64_t body_byte_count;
    const char *_Nullable body_type;
    /* To be connected, names resolved and TLS agreed. A full backlog of a Unix socket is waited for. */
    long connect_seconds;
    /* Without any byte in either direction, until the transfer is given up. */
    long stall_seconds;
    long redirect_limit;
};

/* All are called with `context`, on the caller's thread. */
struct CTransfer_callbacks {
    void *_Nonnull context;
    /* A line of a reply's head, with its line end: of a redirect's and an interim reply's too, so that a status line
       begins anew. Returns 1 to go on, 0 to end the transfer. */
    int (*_Nonnull header)(void *_Nonnull context, const char *_Nonnull line, size_t byte_count);
    /* The next bytes of the last reply's body. Returns 1 to go on, 0 to end the transfer. */
    int (*_Nonnull data)(void *_Nonnull context, const void *_Nonnull bytes, size_t byte_count);
    /* Writes the next bytes of the request's body to `bytes`. Returns how many, at least 1 before the end, or below 0 to
       end the transfer. */
    ptrdiff_t (*_Nonnull body)(void *_Nonnull context, void *_Nonnull bytes, size_t byte_limit);
};

enum CTransfer_outcome {
    /* The reply arrived whole, whatever its status. */
    CTransfer_ended,
    /* A callback ended the transfer. */
    CTransfer_refused,
    /* No name, no route, nobody listening, or no answer in time. */
    CTransfer_unreachable,
    /* The other side could not prove who it is. */
    CTransfer_untrusted,
    /* A redirect to something other than `https:`, or too many of them. */
    CTransfer_misdirected,
    CTransfer_stalled,
    /* The other side closed before it had read the request. */
    CTransfer_unsent,
    /* What came was not HTTP/1. */
    CTransfer_malformed,
    /* The connection broke. */
    CTransfer_broken,
};

/* Bytes of a message, with the terminating zero. */
#define CTRANSFER_MESSAGE_BYTE_COUNT 256

/* Runs one request to its end. `message` takes the library's own words for what went wrong, `system_error` the `errno` of
   a Unix socket that did not connect, else 0. */
enum CTransfer_outcome CTransfer_run(
    const struct CTransfer_request *_Nonnull request,
    const struct CTransfer_callbacks *_Nonnull callbacks,
    int *_Nonnull system_error,
    char *_Nonnull message
);

#endif
