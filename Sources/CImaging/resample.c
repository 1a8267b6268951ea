#include "resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { fraction_bits = 22 };

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

int resampler_init(resampler *r, uint32_t width, double x_extent, CImaging_axis x, uint32_t height, double y_extent,
                   CImaging_axis y) {
    if (axis_init(&r->x, width, x_extent, x) != 0 || axis_init(&r->y, height, y_extent, y) != 0) return -1;
    size_t row_count = (size_t)x.count * 3;
    r->row = malloc(row_count);
    r->sums = malloc(row_count * y.count * sizeof *r->sums);
    if (!r->row || !r->sums) return -1;
    for (size_t i = 0; i < row_count * y.count; i++) r->sums[i] = 1 << (fraction_bits - 1);
    return 0;
}

static inline uint8_t to_byte(int32_t sum) {
    int32_t value = sum >> fraction_bits;
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void horizontal(const resample_axis *axis, const uint8_t *input, uint8_t *output) {
    for (uint32_t i = 0; i < axis->count; i++) {
        const uint8_t *pixel = input + (size_t)axis->first[i] * 3;
        const int32_t *coefficients = axis->coefficients + i * axis->stride;
        int32_t red = 1 << (fraction_bits - 1), green = red, blue = red;
        for (uint32_t t = 0; t < axis->taps[i]; t++) {
            red += pixel[0] * coefficients[t];
            green += pixel[1] * coefficients[t];
            blue += pixel[2] * coefficients[t];
            pixel += 3;
        }
        output[0] = to_byte(red);
        output[1] = to_byte(green);
        output[2] = to_byte(blue);
        output += 3;
    }
}

void resampler_push(resampler *r, const uint8_t *input) {
    uint32_t at = r->next_input++;
    const resample_axis *y = &r->y;
    /* First and last inputs grow with the output, so the outputs that want this row are neighbours. */
    while (r->first_open < y->count && y->first[r->first_open] + y->taps[r->first_open] <= at) r->first_open++;
    if (r->first_open == y->count || y->first[r->first_open] > at) return;
    horizontal(&r->x, input, r->row);
    size_t row_count = (size_t)r->x.count * 3;
    const uint8_t *row = r->row;
    for (uint32_t i = r->first_open; i < y->count && y->first[i] <= at; i++) {
        int32_t coefficient = y->coefficients[i * y->stride + (at - y->first[i])];
        int32_t *sums = r->sums + i * row_count;
        for (size_t c = 0; c < row_count; c++) sums[c] += row[c] * coefficient;
    }
}

void resampler_finish(const resampler *r, uint8_t *pixels) {
    size_t count = (size_t)r->x.count * 3 * r->y.count;
    for (size_t i = 0; i < count; i++) pixels[i] = to_byte(r->sums[i]);
}

void resampler_free(resampler *r) {
    axis_free(&r->x);
    axis_free(&r->y);
    free(r->row);
    free(r->sums);
}
