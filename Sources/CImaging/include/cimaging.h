#ifndef CIMAGING_H
#define CIMAGING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* JPEG and PNG bytes to small RGB images, and back to JPEG. Every setjmp of the codecs stays inside. All functions are
   reentrant; memory they take is freed before they return unless said otherwise. */

/* Why an image is refused. */
typedef enum CImaging_status {
    CImaging_ok = 0,
    CImaging_corrupt,
    CImaging_truncated,
    CImaging_unsupported,
    CImaging_limit,
    CImaging_no_memory,
} CImaging_status;

/* What a function says besides its status: a sentence without newline, NUL-terminated. */
typedef struct CImaging_message {
    char text[256];
} CImaging_message;

/* Bounds on one image; the same for both formats where a field does not name one. */
typedef struct CImaging_limits {
    uint64_t pixel_count;
    uint32_t side;
    int jpeg_scan_count;
    size_t png_chunk_byte_count;
    int png_chunk_count;
    /* What a codec may buffer: coefficients of a progressive JPEG, pixels of an interlaced PNG. */
    size_t memory_byte_count;
    /* Processor time of the calling thread. */
    double seconds;
} CImaging_limits;

/* One axis of a resize: `[0, stored)` is scaled to `[0, scaled)`, of which `[offset, offset + count)` is kept.
   1 <= count, offset + count <= scaled. */
typedef struct CImaging_axis {
    uint64_t scaled;
    uint64_t offset;
    uint32_t count;
} CImaging_axis;

/* What becomes of an image. */
typedef struct CImaging_target {
    CImaging_axis x;
    CImaging_axis y;
    /* [y.count, x.count, 3], overwritten; undefined unless the status is CImaging_ok. */
    uint8_t *_Nonnull pixels;
    /* Resizes with AVX2, which the machine must have; the result is the same. */
    bool uses_avx2;
} CImaging_target;

/* The formats that are read. */
typedef enum CImaging_format {
    CImaging_jpeg,
    CImaging_png,
} CImaging_format;

/* An image whose header is read. It points at its bytes, which must stay where they are until it is closed. One thread
   uses it. */
typedef struct CImaging_image CImaging_image;

/* Reads the header and checks it against the limits; their time runs from here. `*image` is closed with CImaging_close; it
   is set only if the status is CImaging_ok. */
CImaging_status CImaging_open(CImaging_format format, const uint8_t *_Nonnull bytes, size_t byte_count,
                              const CImaging_limits *_Nonnull limits, CImaging_image *_Nullable *_Nonnull image,
                              CImaging_message *_Nonnull message);

/* In stored pixels, EXIF orientation not applied. */
uint32_t CImaging_width(const CImaging_image *_Nonnull image);
uint32_t CImaging_height(const CImaging_image *_Nonnull image);

/* Decodes row by row, converts to RGB (alpha on white, CMYK as Adobe stores it) and resizes on the way, so that the whole
   image lies in memory only where its format needs that. Once an image. */
CImaging_status CImaging_decode(CImaging_image *_Nonnull image, const CImaging_target *_Nonnull target,
                                CImaging_message *_Nonnull message);

void CImaging_close(CImaging_image *_Nonnull image);

/* Encodes [height, width, 3] RGB as a baseline JPEG without metadata. `*encoded` is released with CImaging_release. */
CImaging_status CImaging_jpeg_encode(const uint8_t *_Nonnull pixels, uint32_t width, uint32_t height, int quality,
                                     uint8_t *_Nullable *_Nonnull encoded, size_t *_Nonnull encoded_byte_count,
                                     CImaging_message *_Nonnull message);
/* "1.6.39": libpng as loaded, and the libjpeg-turbo that this was compiled against. */
const char *_Nonnull CImaging_png_version(void);
const char *_Nonnull CImaging_jpeg_version(void);

void CImaging_release(uint8_t *_Nullable encoded);

#endif
