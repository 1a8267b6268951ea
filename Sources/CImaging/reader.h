#ifndef CIMAGING_READER_H
#define CIMAGING_READER_H

#include "cimaging.h"
#include "resample.h"

#include <setjmp.h>

typedef struct CImaging_image reader;

/* What differs between the formats. All functions but `release` run under the one setjmp and may fail with
   `reader_fail`. */
typedef struct reader_format {
    /* Of the format's own struct, which begins with a reader. */
    size_t byte_count;
    /* Reads up to the first pixel data and sets width and height. */
    void (*read_header)(reader *r, const uint8_t *bytes, size_t byte_count);
    void (*decode)(reader *r, const CImaging_target *target);
    /* Frees what the format took, whether or not its header was read. */
    void (*release)(reader *r);
} reader_format;

extern const reader_format reader_jpeg;
extern const reader_format reader_png;

/* What all formats share. */
struct CImaging_image {
    const reader_format *format;
    jmp_buf escape;
    CImaging_limits limits;
    double deadline;
    CImaging_status status;
    /* Of the call that runs. */
    CImaging_message *message;
    uint32_t width;
    uint32_t height;
    resampler resize;
};

/* Ends the call that runs with a status and a sentence. */
__attribute__((noreturn, format(printf, 3, 4))) void reader_fail(reader *r, CImaging_status status, const char *format,
                                                                 ...);

/* Fails when the thread has used more time than the limits allow. */
void reader_check_time(reader *r);

#endif
