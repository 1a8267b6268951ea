#include "resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { fraction_bits = 22, half = 1 << (fraction_bits - 1) };

typedef uint8_t uint8x4 __attribute__((vector_size(4)));
typedef uint8_t uint8x8 __attribute__((vector_size(8)));
typedef int32_t int32x4 __attribute__((vector_size(16)));
typedef int32_t int32x8 __attribute__((vector_size(32)));

#define VARIANT(name) name##_portable
#define TARGET
#include "resample_rows.h"
#undef VARIANT
#undef TARGET

#if defined(__x86_64__)
#define VARIANT(name) name##_avx2
#define TARGET __attribute__((target("avx2")))
#include "resample_rows.h"
#endif

static int axis_init(resample_axis *axis, uint32_t input_count, double extent, CImaging_axis wanted) {
    double scale = extent / (double)wanted.scaled;
    /* An enlargement interpolates between neighbours, a reduction averages over all that falls on a pixel. */
    double support = scale < 1 ? 1 : scale;
    axis->count = wanted.count;
    axis->stride = (size_t)ceil(support) * 2 + 1;
    axis->first = calloc(wanted.count, sizeof *axis->first);
    axis->taps = calloc(wanted.count, sizeof *axis->taps);
    axis->coefficients = calloc(wanted.count * axis->stride, sizeof *axis->coefficients);
    double *weights = calloc(axis->stride, sizeof *weights);
    if (!axis->first || !axis->taps || !axis->coefficients || !weights) {
        free(weights);
        return -1;
    }
    for (uint32_t i = 0; i < wanted.count; i++) {
        double center = ((double)(wanted.offset + i) + 0.5) * scale;
        double low = floor(center - support + 0.5);
        double high = floor(center + support + 0.5);
        if (low < 0) low = 0;
        if (low > (double)input_count - 1) low = (double)input_count - 1;
        if (high > (double)input_count) high = (double)input_count;
        if (high < low + 1) high = low + 1;
        uint32_t first = (uint32_t)low;
        uint32_t taps = (uint32_t)(high - low);
        double sum = 0;
        for (uint32_t t = 0; t < taps; t++) {
            double distance = fabs((first + t - center + 0.5) / support);
            weights[t] = distance < 1 ? 1 - distance : 0;
            sum += weights[t];
        }
        if (sum == 0) weights[0] = sum = 1;
        int32_t *coefficients = axis->coefficients + i * axis->stride;
        for (uint32_t t = 0; t < taps; t++) {
            coefficients[t] = (int32_t)(0.5 + weights[t] / sum * (1 << fraction_bits));
        }
        axis->first[i] = first;
        axis->taps[i] = taps;
    }
    free(weights);
    return 0;
}

static void axis_free(resample_axis *axis) {
    free(axis->first);
    free(axis->taps);
    free(axis->coefficients);
}

int resampler_init(resampler *r, const CImaging_target *target, uint32_t width, double x_extent, uint32_t height,
                   double y_extent) {
    if (axis_init(&r->x, width, x_extent, target->x) != 0) return -1;
    if (axis_init(&r->y, height, y_extent, target->y) != 0) return -1;
    r->pixels = target->pixels;
    r->uses_avx2 = target->uses_avx2;
    /* Both passes write and read whole vectors. */
    r->row_stride = ((size_t)r->x.count * 3 + 1 + 31) / 32 * 32;
    r->window = calloc(r->y.stride, r->row_stride);
    return r->window ? 0 : -1;
}

static void shrink_row(const resampler *r, const uint8_t *input, uint8_t *output) {
#if defined(__x86_64__)
    if (r->uses_avx2) return shrink_row_avx2(&r->x, input, output);
#endif
    shrink_row_portable(&r->x, input, output);
}

static void blend_rows(const resampler *r, uint32_t i, size_t byte_count, uint8_t *output) {
#if defined(__x86_64__)
    if (r->uses_avx2) return blend_rows_avx2(r, i, byte_count, output);
#endif
    blend_rows_portable(r, i, byte_count, output);
}

void resampler_push(resampler *r, const uint8_t *input) {
    const resample_axis *y = &r->y;
    uint32_t at = r->next_input++;
    /* First and last inputs grow with the output, so none before this one's first is wanted any more. */
    if (r->next_output == y->count || at < y->first[r->next_output]) return;
    shrink_row(r, input, r->window + at % y->stride * r->row_stride);
    size_t byte_count = (size_t)r->x.count * 3;
    while (r->next_output < y->count && y->first[r->next_output] + y->taps[r->next_output] <= at + 1) {
        blend_rows(r, r->next_output, byte_count, r->pixels + r->next_output * byte_count);
        r->next_output++;
    }
}

void resampler_free(resampler *r) {
    axis_free(&r->x);
    axis_free(&r->y);
    free(r->window);
}
