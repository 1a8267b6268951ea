#ifndef CTRANSFER_H
#define CTRANSFER_H

#include <stddef.h>
#include <stdint.h>

/* One download by libcurl, without its variadic calls, which Swift cannot use. Certificates are checked, proxies are
   taken from the usual variables (`https_proxy`, `no_proxy`, ...), redirects lead to `https:` only. */

struct CTransfer_request {
    /* Absolute, `https:`, or `http:` where `allows_http` says so. */
    const char *_Nonnull address;
    /* For loopback: plain HTTP to the address itself, past any proxy. */
    int allows_http;
    /* The first byte wanted: above 0, a `Range` field asks for the rest of the file. */
    uint64_t offset;
    /* To be connected, names resolved and TLS agreed. */
    long connect_seconds;
    /* Without any byte, until the transfer is given up. */
    long stall_seconds;
    long redirect_limit;
};

/* All are called with `context`, on the caller's thread. */
struct CTransfer_callbacks {
    void *_Nonnull context;
    /* A line of a reply's head, with its line end: of a redirect's and an interim reply's too, so that a status line
       begins anew. */
    void (*_Nonnull header)(void *_Nonnull context, const char *_Nonnull line, size_t byte_count);
    /* The next bytes of the last reply's body. Returns 1 to go on, 0 to end the transfer. */
    int (*_Nonnull data)(void *_Nonnull context, const void *_Nonnull bytes, size_t byte_count);
};

enum CTransfer_outcome {
    /* The reply arrived whole, whatever its status. */
    CTransfer_ended,
    /* `data` returned 0. */
    CTransfer_refused,
    /* No name, no route, nobody listening, or no answer in time. */
    CTransfer_unreachable,
    /* The other side could not prove who it is. */
    CTransfer_untrusted,
    /* A redirect to something other than `https:`, or too many of them. */
    CTransfer_misdirected,
    CTransfer_stalled,
    /* The connection broke, or what came was not HTTP. */
    CTransfer_broken,
};

/* Bytes of a message, with the terminating zero. */
#define CTRANSFER_MESSAGE_BYTE_COUNT 256

/* Runs one request to its end. `message` takes the library's own words for what went wrong. */
enum CTransfer_outcome CTransfer_run(
    const struct CTransfer_request *_Nonnull request,
    const struct CTransfer_callbacks *_Nonnull callbacks,
    char *_Nonnull message
);

#endif
