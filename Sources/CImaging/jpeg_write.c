#include "cimaging.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

typedef struct writer {
    struct jpeg_compress_struct codec;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
    CImaging_message *message;
    unsigned char *encoded;
    unsigned long byte_count;
} writer;

static void on_error(j_common_ptr codec) {
    writer *w = codec->client_data;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    snprintf(w->message->text, sizeof w->message->text, "%s", text);
    longjmp(w->escape, 1);
}

static void ignore_output(j_common_ptr codec) { (void)codec; }

static void encode(writer *w, const uint8_t *pixels, uint32_t width, uint32_t height, int quality) {
    j_compress_ptr codec = &w->codec;
    jpeg_create_compress(codec);
    codec->client_data = w;
    jpeg_mem_dest(codec, &w->encoded, &w->byte_count);
    codec->image_width = width;
    codec->image_height = height;
    codec->input_components = 3;
    codec->in_color_space = JCS_RGB;
    jpeg_set_defaults(codec);
    jpeg_set_quality(codec, quality, TRUE);
    jpeg_start_compress(codec, TRUE);
    while (codec->next_scanline < height) {
        /* libjpeg's rows are not const; it reads them only. */
        JSAMPROW rows[] = {(JSAMPROW)(uintptr_t)(pixels + (size_t)codec->next_scanline * width * 3)};
        jpeg_write_scanlines(codec, rows, 1);
    }
    jpeg_finish_compress(codec);
}

CImaging_status CImaging_jpeg_encode(const uint8_t *pixels, uint32_t width, uint32_t height, int quality,
                                     uint8_t **encoded, size_t *encoded_byte_count, CImaging_message *message) {
    writer *w = calloc(1, sizeof *w);
    if (!w) return CImaging_no_memory;
    w->message = message;
    w->codec.err = jpeg_std_error(&w->errors);
    w->errors.error_exit = on_error;
    w->errors.output_message = ignore_output;
    w->codec.client_data = w;
    /* Written after setjmp and read after a longjmp. */
    volatile CImaging_status status = CImaging_no_memory;
    if (setjmp(w->escape) == 0) {
        encode(w, pixels, width, height, quality);
        status = CImaging_ok;
    }
    jpeg_destroy_compress(&w->codec);
    if (status == CImaging_ok) {
        *encoded = w->encoded;
        *encoded_byte_count = w->byte_count;
    } else {
        free(w->encoded);
    }
    free(w);
    return status;
}

void CImaging_release(uint8_t *encoded) { free(encoded); }
