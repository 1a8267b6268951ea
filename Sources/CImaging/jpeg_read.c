#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

/* One decompression. The libjpeg structs point here through `client_data`. */
typedef struct jpeg_reader {
    reader base;
    struct jpeg_decompress_struct codec;
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    /* The source ran dry and an end marker was put in its place. */
    int ran_dry;
    /* The entropy decoder met a marker or the end where it wanted data, and made up zeros. */
    int made_up_data;
    /* Every row is decoded; what comes now is the rest of the file. */
    int has_all_rows;
    JSAMPLE *row;
    uint8_t *rgb;
} jpeg_reader;

static CImaging_status status_of(int code) {
    switch (code) {
    case JERR_OUT_OF_MEMORY: return CImaging_no_memory;
    /* Debian's libjpeg-turbo keeps no temporary files: asking for one means that the memory limit is reached. */
    case JERR_NO_BACKING_STORE:
    case JERR_IMAGE_TOO_BIG:
    case JERR_WIDTH_OVERFLOW: return CImaging_limit;
    case JERR_ARITH_NOTIMPL:
    case JERR_BAD_J_COLORSPACE:
    case JERR_BAD_PRECISION:
    case JERR_CCIR601_NOTIMPL:
    case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL:
    case JERR_FRACT_SAMPLE_NOTIMPL:
    case JERR_NOTIMPL:
    case JERR_SOF_UNSUPPORTED: return CImaging_unsupported;
    case JERR_INPUT_EMPTY:
    case JERR_INPUT_EOF: return CImaging_truncated;
    default: return CImaging_corrupt;
    }
}

static void on_error(j_common_ptr codec) {
    jpeg_reader *r = codec->client_data;
    /* A file cut in the rubbish behind its last row has lost nothing. */
    if (r->has_all_rows && r->ran_dry) longjmp(r->base.escape, 1);
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    CImaging_status status = status_of(codec->err->msg_code);
    /* What libjpeg makes of a file that stops too early depends on where it stops. */
    if (r->ran_dry && status == CImaging_corrupt) status = CImaging_truncated;
    reader_fail(&r->base, status, "%s", text);
}

static void on_message(j_common_ptr codec, int level) {
    jpeg_reader *r = codec->client_data;
    if (level < 0 && codec->err->msg_code == JWRN_HIT_MARKER) r->made_up_data = 1;
}

static void ignore_output(j_common_ptr codec) { (void)codec; }

static void ignore_source(j_decompress_ptr codec) { (void)codec; }

static boolean on_dry_source(j_decompress_ptr codec) {
    static const JOCTET end[] = {0xff, JPEG_EOI};
    jpeg_reader *r = codec->client_data;
    r->ran_dry = 1;
    codec->src->next_input_byte = end;
    codec->src->bytes_in_buffer = sizeof end;
    return TRUE;
}

static void skip_source(j_decompress_ptr codec, long count) {
    if (count <= 0) return;
    struct jpeg_source_mgr *source = codec->src;
    if ((size_t)count >= source->bytes_in_buffer) {
        on_dry_source(codec);
    } else {
        source->next_input_byte += count;
        source->bytes_in_buffer -= (size_t)count;
    }
}

static void on_progress(j_common_ptr codec) {
    jpeg_reader *r = codec->client_data;
    if (r->codec.input_scan_number > r->base.limits.jpeg_scan_count) {
        reader_fail(&r->base, CImaging_limit, "more than %d scans", r->base.limits.jpeg_scan_count);
    }
    reader_check_time(&r->base);
}

/* Sets the codec up and reads up to the first scan. */
static void read_header(reader *base, const uint8_t *bytes, size_t byte_count) {
    jpeg_reader *r = (jpeg_reader *)base;
    r->codec.err = jpeg_std_error(&r->errors);
    r->errors.error_exit = on_error;
    r->errors.emit_message = on_message;
    r->errors.output_message = ignore_output;
    r->codec.client_data = r;
    jpeg_create_decompress(&r->codec);
    r->codec.client_data = r;
    r->codec.progress = &r->progress;
    r->progress.progress_monitor = on_progress;
    r->codec.mem->max_memory_to_use = (long)r->base.limits.memory_byte_count;
    r->source = (struct jpeg_source_mgr){
        .next_input_byte = bytes,
        .bytes_in_buffer = byte_count,
        .init_source = ignore_source,
        .fill_input_buffer = on_dry_source,
        .skip_input_data = skip_source,
        .resync_to_restart = jpeg_resync_to_restart,
        .term_source = ignore_source,
    };
    r->codec.src = &r->source;
    jpeg_read_header(&r->codec, TRUE);
    r->base.width = r->codec.image_width;
    r->base.height = r->codec.image_height;
}

/* The largest reduction in the DCT that leaves at least twice the pixels wanted on both axes: what remains is for the
   antialiasing filter, and the powers of two have SIMD code. */
static unsigned reduction(const jpeg_reader *r, const CImaging_target *target) {
    for (unsigned divisor = 8; divisor > 1; divisor /= 2) {
        if (r->codec.image_width / divisor >= target->x.scaled * 2 &&
            r->codec.image_height / divisor >= target->y.scaled * 2) {
            return divisor;
        }
    }
    return 1;
}

/* Adobe stores inks inverted, so that 255 is none; files without Adobe's marker do as well. */
static void cmyk_to_rgb(const JSAMPLE *inks, uint8_t *rgb, uint32_t count) {
    for (uint32_t i = 0; i < count; i++, inks += 4, rgb += 3) {
        for (int c = 0; c < 3; c++) rgb[c] = (uint8_t)((inks[c] * inks[3] + 127) / 255);
    }
}

static void decode(reader *base, const CImaging_target *target) {
    jpeg_reader *r = (jpeg_reader *)base;
    j_decompress_ptr codec = &r->codec;
    int has_inks = codec->jpeg_color_space == JCS_CMYK || codec->jpeg_color_space == JCS_YCCK;
    codec->out_color_space = has_inks ? JCS_CMYK : JCS_RGB;
    unsigned divisor = reduction(r, target);
    codec->scale_num = 1;
    codec->scale_denom = divisor;
    jpeg_start_decompress(codec);
    uint32_t width = codec->output_width, height = codec->output_height;
    /* The resampler reads a byte more. */
    r->row = calloc((size_t)width * (size_t)codec->output_components + 1, 1);
    r->rgb = has_inks ? calloc((size_t)width * 3 + 1, 1) : NULL;
    int is_ready = resampler_init(&r->base.resize, target, width, (double)codec->image_width / divisor, height,
                                  (double)codec->image_height / divisor);
    if (!r->row || (has_inks && !r->rgb) || is_ready != 0) {
        reader_fail(&r->base, CImaging_no_memory, "no memory for rows");
    }
    while (codec->output_scanline < height) {
        JSAMPROW rows[] = {r->row};
        jpeg_read_scanlines(codec, rows, 1);
        if (has_inks) cmyk_to_rgb(r->row, r->rgb, width);
        resampler_push(&r->base.resize, has_inks ? r->rgb : r->row);
    }
    /* A missing end marker alone costs nothing; missing data does. */
    if (r->ran_dry && r->made_up_data) reader_fail(&r->base, CImaging_truncated, "the data end before the last row");
    r->has_all_rows = 1;
    /* Rubbish between the last row and the end marker means that the rows are not what was meant. */
    jpeg_finish_decompress(codec);
}

static void release(reader *base) {
    jpeg_reader *r = (jpeg_reader *)base;
    jpeg_destroy_decompress(&r->codec);
    free(r->row);
    free(r->rgb);
}

const reader_format reader_jpeg = {sizeof(jpeg_reader), read_header, decode, release};

/* The macro holds bare numbers: text only after it is expanded. */
#define TEXT_OF(numbers) #numbers
#define EXPANDED_TEXT_OF(macro) TEXT_OF(macro)

const char *CImaging_jpeg_version(void) { return EXPANDED_TEXT_OF(LIBJPEG_TURBO_VERSION); }
