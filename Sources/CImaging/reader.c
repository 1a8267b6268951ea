#include "reader.h"
#include "clock.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void reader_fail(reader *r, CImaging_status status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->message->text, sizeof r->message->text, format, arguments);
    va_end(arguments);
    r->status = status;
    longjmp(r->escape, 1);
}

void reader_check_time(reader *r) {
    if (thread_seconds() > r->deadline) {
        reader_fail(r, CImaging_limit, "decoding takes more than %g s", r->limits.seconds);
    }
}

static void check_size(reader *r) {
    uint32_t width = r->width, height = r->height;
    if (width > r->limits.side || height > r->limits.side) {
        reader_fail(r, CImaging_limit, "%u x %u pixels, a side may have %u", width, height, r->limits.side);
    }
    if ((uint64_t)width * height > r->limits.pixel_count) {
        reader_fail(r, CImaging_limit, "%u x %u pixels are more than %llu", width, height,
                    (unsigned long long)r->limits.pixel_count);
    }
}

static const reader_format *format_of(CImaging_format format) {
    switch (format) {
    case CImaging_jpeg: return &reader_jpeg;
    case CImaging_png: return &reader_png;
    }
    return NULL;
}

CImaging_status CImaging_open(CImaging_format format, const uint8_t *bytes, size_t byte_count,
                              const CImaging_limits *limits, CImaging_image **image, CImaging_message *message) {
    const reader_format *known = format_of(format);
    if (!known) return CImaging_unsupported;
    reader *r = calloc(1, known->byte_count);
    if (!r) return CImaging_no_memory;
    r->format = known;
    r->limits = *limits;
    r->message = message;
    r->deadline = thread_seconds() + limits->seconds;
    /* The callbacks of the codec may jump out; whatever was taken is released by CImaging_close. */
    if (setjmp(r->escape) == 0) {
        known->read_header(r, bytes, byte_count);
        check_size(r);
    }
    CImaging_status status = r->status;
    if (status == CImaging_ok) {
        *image = r;
    } else {
        CImaging_close(r);
    }
    return status;
}

uint32_t CImaging_width(const CImaging_image *image) { return image->width; }

uint32_t CImaging_height(const CImaging_image *image) { return image->height; }

CImaging_status CImaging_decode(CImaging_image *image, const CImaging_target *target, CImaging_message *message) {
    image->message = message;
    if (setjmp(image->escape) == 0) image->format->decode(image, target);
    return image->status;
}

void CImaging_close(CImaging_image *image) {
    image->format->release(image);
    resampler_free(&image->resize);
    free(image);
}
