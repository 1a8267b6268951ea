#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include <png.h>

/* One decompression; libpng points here through its error and io pointers. */
typedef struct png_reader {
    reader base;
    png_structp codec;
    png_infop info;
    const uint8_t *bytes;
    size_t byte_count;
    size_t at;
    /* One row, or the whole of an interlaced image, as libpng gives it: RGB or RGBA. */
    png_bytep rows;
    uint8_t *rgb;
} png_reader;

static void on_error(png_structp codec, png_const_charp text) {
    png_reader *r = png_get_error_ptr(codec);
    reader_fail(&r->base, CImaging_corrupt, "%s", text);
}

static void on_warning(png_structp codec, png_const_charp text) {
    /* libpng has no codes; this is what it says of a chunk beyond png_set_chunk_malloc_max. */
    if (strstr(text, "chunk data is too large")) {
        png_reader *r = png_get_error_ptr(codec);
        reader_fail(&r->base, CImaging_limit, "%s, %zu bytes at most", text, r->base.limits.png_chunk_byte_count);
    }
}

static void read_bytes(png_structp codec, png_bytep target, size_t count) {
    png_reader *r = png_get_io_ptr(codec);
    if (count > r->byte_count - r->at) reader_fail(&r->base, CImaging_truncated, "the file ends after %zu bytes", r->byte_count);
    memcpy(target, r->bytes + r->at, count);
    r->at += count;
}

/* Sets the codec up and reads up to the first pixel data. */
static void read_header(reader *base, const uint8_t *bytes, size_t byte_count) {
    png_reader *r = (png_reader *)base;
    r->bytes = bytes;
    r->byte_count = byte_count;
    r->codec = png_create_read_struct(PNG_LIBPNG_VER_STRING, r, on_error, on_warning);
    if (!r->codec) reader_fail(&r->base, CImaging_no_memory, "no memory for libpng");
    r->info = png_create_info_struct(r->codec);
    if (!r->info) reader_fail(&r->base, CImaging_no_memory, "no memory for libpng");
    png_set_read_fn(r->codec, r, read_bytes);
    png_set_user_limits(r->codec, 0x7fffffff, 0x7fffffff);
    png_set_chunk_malloc_max(r->codec, r->base.limits.png_chunk_byte_count);
    png_set_chunk_cache_max(r->codec, (png_uint_32)r->base.limits.png_chunk_count);
    png_set_benign_errors(r->codec, 1);
    /* Only what makes pixels is parsed: profiles, texts and times are skipped unread, gamma is not applied. */
    png_set_keep_unknown_chunks(r->codec, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_read_info(r->codec, r->info);
    r->base.width = png_get_image_width(r->codec, r->info);
    r->base.height = png_get_image_height(r->codec, r->info);
}

static void alpha_on_white(const uint8_t *rgba, uint8_t *rgb, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, rgba += 4, rgb += 3) {
        uint32_t alpha = rgba[3], white = 255 * (255 - alpha) + 127;
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((rgba[c] * alpha + white) / 255);
    }
}

static void push(png_reader *r, const uint8_t *row, uint32_t width, int has_alpha) {
    if (has_alpha) alpha_on_white(row, r->rgb, width);
    resampler_push(&r->base.resize, has_alpha ? r->rgb : row);
}

static void decode(reader *base, const CImaging_target *target) {
    png_reader *r = (png_reader *)base;
    png_structp codec = r->codec;
    uint32_t width = base->width, height = base->height;
    /* Palettes and few bits to bytes, transparent colours to alpha, 16 bits to their high byte, gray to RGB. */
    png_set_expand(codec);
    png_set_strip_16(codec);
    png_set_gray_to_rgb(codec);
    int pass_count = png_set_interlace_handling(codec);
    png_read_update_info(codec, r->info);
    int has_alpha = png_get_channels(codec, r->info) == 4;
    size_t row_count = png_get_rowbytes(codec, r->info);
    size_t buffered = pass_count > 1 ? row_count * height : row_count;
    if (buffered > r->base.limits.memory_byte_count) {
        reader_fail(&r->base, CImaging_limit, "an interlaced image of %u x %u pixels needs more than %zu bytes", width, height,
             r->base.limits.memory_byte_count);
    }
    /* The resampler reads a byte more. */
    r->rows = calloc(buffered + 1, 1);
    r->rgb = has_alpha ? calloc((size_t)width * 3 + 1, 1) : NULL;
    if (!r->rows || (has_alpha && !r->rgb) || resampler_init(&r->base.resize, target, width, width, height, height) != 0) {
        reader_fail(&r->base, CImaging_no_memory, "no memory for rows");
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
            reader_check_time(&r->base);
            if (is_last) push(r, row, width, has_alpha);
        }
    }
}

static void release(reader *base) {
    png_reader *r = (png_reader *)base;
    if (r->codec) png_destroy_read_struct(&r->codec, &r->info, NULL);
    free(r->rows);
    free(r->rgb);
}

const reader_format reader_png = {sizeof(png_reader), read_header, decode, release};

const char *CImaging_png_version(void) { return png_get_libpng_ver(NULL); }
