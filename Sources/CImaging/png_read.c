#include "cimaging.h"
#include "clock.h"
#include "resample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

/* One decompression; libpng points here through its error and io pointers. */
typedef struct reader {
    png_structp codec;
    png_infop info;
    jmp_buf escape;
    const uint8_t *bytes;
    size_t byte_count;
    size_t at;
    const CImaging_limits *limits;
    double deadline;
    CImaging_status status;
    CImaging_message *message;
    resampler resize;
    /* One row, or the whole of an interlaced image, as libpng gives it: RGB or RGBA. */
    png_bytep rows;
    uint8_t *rgb;
} reader;

__attribute__((noreturn, format(printf, 3, 4))) static void fail(reader *r, CImaging_status status, const char *format,
                                                                 ...) {
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(r->message->text, sizeof r->message->text, format, arguments);
    va_end(arguments);
    r->status = status;
    longjmp(r->escape, 1);
}

static void on_error(png_structp codec, png_const_charp text) {
    fail(png_get_error_ptr(codec), CImaging_corrupt, "%s", text);
}

static void on_warning(png_structp codec, png_const_charp text) {
    /* libpng has no codes; this is what it says of a chunk beyond png_set_chunk_malloc_max. */
    if (strstr(text, "chunk data is too large")) {
        reader *r = png_get_error_ptr(codec);
        fail(r, CImaging_limit, "%s, %zu bytes at most", text, r->limits->png_chunk_byte_count);
    }
}

static void read_bytes(png_structp codec, png_bytep target, size_t count) {
    reader *r = png_get_io_ptr(codec);
    if (count > r->byte_count - r->at) fail(r, CImaging_truncated, "the file ends after %zu bytes", r->byte_count);
    memcpy(target, r->bytes + r->at, count);
    r->at += count;
}

static void check_time(reader *r) {
    if (thread_seconds() > r->deadline) fail(r, CImaging_limit, "decoding takes more than %g s", r->limits->seconds);
}

/* Reads up to the first pixel data. Runs under the setjmp of the caller. */
static void read_header(reader *r) {
    r->codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
    if (!r->codec) fail(r, CImaging_no_memory, "no memory for libpng");
    r->info = png_create_info_struct(r->codec);
    if (!r->info) fail(r, CImaging_no_memory, "no memory for libpng");
    png_set_read_fn(r->codec, r, read_bytes);
    png_set_user_limits(r->codec, 0x7fffffff, 0x7fffffff);
    png_set_chunk_malloc_max(r->codec, r->limits->png_chunk_byte_count);
    png_set_chunk_cache_max(r->codec, (png_uint_32)r->limits->png_chunk_count);
    png_set_benign_errors(r->codec, 1);
    /* Only what makes pixels is parsed: profiles, texts and times are skipped unread, gamma is not applied. */
    png_set_keep_unknown_chunks(r->codec, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(r->codec, r->info);
    uint32_t width = png_get_image_width(r->codec, r->info), height = png_get_image_height(r->codec, r->info);
    if (width > r->limits->side || height > r->limits->side) {
        fail(r, CImaging_limit, "%u x %u pixels, a side may have %u", width, height, r->limits->side);
    }
    if ((uint64_t)width * height > r->limits->pixel_count) {
        fail(r, CImaging_limit, "%u x %u pixels are more than %llu", width, height,
             (unsigned long long)r->limits->pixel_count);
    }
}

static void alpha_on_white(const uint8_t *rgba, uint8_t *rgb, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, rgba += 4, rgb += 3) {
        uint32_t alpha = rgba[3], white = 255 * (255 - alpha) + 127;
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((rgba[c] * alpha + white) / 255);
    }
}

static void push(reader *r, const uint8_t *row, uint32_t width, int has_alpha) {
    if (has_alpha) alpha_on_white(row, r->rgb, width);
    resampler_push(&r->resize, has_alpha ? r->rgb : row);
}

static void decode(reader *r, const CImaging_target *target) {
    png_structp codec = r->codec;
    uint32_t width = png_get_image_width(codec, r->info), height = png_get_image_height(codec, r->info);
    /* Palettes and few bits to bytes, transparent colours to alpha, 16 bits to their high byte, gray to RGB. */
    png_set_expand(codec);
    png_set_strip_16(codec);
    png_set_gray_to_rgb(codec);
    int pass_count = png_set_interlace_handling(codec);
    png_read_update_info(codec, r->info);
    int has_alpha = png_get_channels(codec, r->info) == 4;
    size_t row_count = png_get_rowbytes(codec, r->info);
    size_t buffered = pass_count > 1 ? row_count * height : row_count;
    if (buffered > r->limits->memory_byte_count) {
        fail(r, CImaging_limit, "an interlaced image of %u x %u pixels needs more than %zu bytes", width, height,
             r->limits->memory_byte_count);
    }
    /* The resampler reads a byte more. */
    r->rows = calloc(buffered + 1, 1);
    r->rgb = has_alpha ? calloc((size_t)width * 3 + 1, 1) : NULL;
    if (!r->rows || (has_alpha && !r->rgb) || resampler_init(&r->resize, target, width, width, height, height) != 0) {
        fail(r, CImaging_no_memory, "no memory for rows");
    }
    /* From here on checksums of chunks are left to Adler-32 inside the data, as viewers do: photos with a wrong one are
       whole. What came before was held to its checksum. */
    png_set_crc_action(codec, PNG_CRC_QUIET_USE, PNG_CRC_NO_CHANGE);
    /* Every pass but the last fills in pixels that only the buffer keeps. */
    for (int pass = 0; pass < pass_count; pass++) {
        int is_last = pass == pass_count - 1;
        for (uint32_t at = 0; at < height; at++) {
            png_bytep row = pass_count > 1 ? r->rows + at * row_count : r->rows;
            png_read_row(codec, row, NULL);
            check_time(r);
            if (is_last) push(r, row, width, has_alpha);
        }
    }
}

typedef void (*action)(reader *r, const void *argument);

static void act_decode(reader *r, const void *argument) { decode(r, argument); }

typedef struct size_argument {
    uint32_t *width;
    uint32_t *height;
} size_argument;

static void act_size(reader *r, const void *argument) {
    const size_argument *wanted = argument;
    *wanted->width = png_get_image_width(r->codec, r->info);
    *wanted->height = png_get_image_height(r->codec, r->info);
}

/* The one setjmp: `act` and all callbacks may jump out, and everything is released here. */
static CImaging_status with_reader(const uint8_t *bytes, size_t byte_count, const CImaging_limits *limits, action act,
                                   const void *argument, CImaging_message *message) {
    reader *r = calloc(1, sizeof *r);
    if (!r) return CImaging_no_memory;
    r->bytes = bytes;
    r->byte_count = byte_count;
    r->limits = limits;
    r->message = message;
    r->deadline = thread_seconds() + limits->seconds;
    if (setjmp(r->escape) == 0) {
        read_header(r);
        act(r, argument);
    }
    CImaging_status status = r->status;
    if (r->codec) png_destroy_read_struct(&r->codec, &r->info, NULL);
    resampler_free(&r->resize);
    free(r->rows);
    free(r->rgb);
    free(r);
    return status;
}

CImaging_status CImaging_png_size(const uint8_t *bytes, size_t byte_count, const CImaging_limits *limits,
                                  uint32_t *width, uint32_t *height, CImaging_message *message) {
    size_argument argument = {width, height};
    return with_reader(bytes, byte_count, limits, act_size, &argument, message);
}

CImaging_status CImaging_png_decode(const uint8_t *bytes, size_t byte_count, const CImaging_limits *limits,
                                    const CImaging_target *target, CImaging_message *message) {
    return with_reader(bytes, byte_count, limits, act_decode, target, message);
}

const char *CImaging_png_version(void) { return png_get_libpng_ver(NULL); }
