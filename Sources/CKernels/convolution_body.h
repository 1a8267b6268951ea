/* Included once an instruction set by convolution_<isa>.c, with VARIANT(name), TARGET and LANES (floats a
   register) defined. The contract is in winograd.h. */

#include "include/winograd.h"

typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4 * LANES)));

#define INLINE static inline __attribute__((always_inline)) TARGET

/* a^2 = 1/2, b^2 = 2. */
static const float point_a = 0.70710678118654752f, point_b = 1.41421356237309505f;

/* One column of B^T d: six inputs to six values. */
INLINE void input_transform(const lanes d[6], lanes v[6]) {
    const lanes low_a = d[4] - 2.0f * d[2], odd_a = point_a * d[3] - 2.0f * point_a * d[1];
    const lanes low_b = d[4] - 0.5f * d[2], odd_b = point_b * d[3] - 0.5f * point_b * d[1];
    v[0] = d[0] - 2.5f * d[2] + d[4];
    v[1] = low_a + odd_a;
    v[2] = low_a - odd_a;
    v[3] = low_b + odd_b;
    v[4] = low_b - odd_b;
    v[5] = d[1] - 2.5f * d[3] + d[5];
}

/* One column of A^T m: six values to four outputs. */
INLINE void output_transform(const lanes m[6], lanes y[4]) {
    const lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const lanes sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + sum_a + sum_b;
    y[1] = point_a * difference_a + point_b * difference_b;
    y[2] = 0.5f * sum_a + 2.0f * sum_b;
    y[3] = 0.5f * point_a * difference_a + 2.0f * point_b * difference_b + m[5];
}

/* Greater than zero or NaN stays. */
INLINE lanes relu(lanes x) { return x < 0.0f ? (lanes){0} : x; }

INLINE lanes greater(lanes a, lanes b) { return a < b ? b : a; }

typedef struct {
    size_t image;
    int y, x;
} place;

INLINE place tile_place(const CKernels_tiles *tiles, int tile) {
    const int across = (tiles->width + 3) / 4, down = (tiles->height + 3) / 4;
    const int within = tile % (across * down);
    return (place){(size_t)(tile / (across * down)), within / across * 4, within % across * 4};
}

TARGET static void VARIANT(winograd_input)(const float *map, CKernels_tiles tiles, float *planes, size_t plane_stride) {
    const size_t row_stride = (size_t)tiles.width * tiles.channels;
    for (int t = 0; t < tiles.tile_count; t++) {
        const place at = tile_place(&tiles, tiles.first_tile + t);
        const float *image = map + at.image * tiles.height * row_stride;
        for (int c = 0; c < tiles.channels; c += LANES) {
            lanes half[6][6];
            for (int j = 0; j < 6; j++) {
                const int x = at.x - 1 + j;
                lanes d[6], v[6];
                for (int i = 0; i < 6; i++) {
                    const int y = at.y - 1 + i;
                    const int inside = y >= 0 && y < tiles.height && x >= 0 && x < tiles.width;
                    d[i] = inside ? *(const lanes *)(image + y * row_stride + (size_t)x * tiles.channels + c)
                                  : (lanes){0};
                }
                input_transform(d, v);
                for (int i = 0; i < 6; i++) half[i][j] = v[i];
            }
            float *target = planes + (size_t)t * tiles.channels + c;
            for (int i = 0; i < 6; i++) {
                lanes v[6];
                input_transform(half[i], v);
                for (int j = 0; j < 6; j++) *(lanes *)(target + (size_t)(6 * i + j) * plane_stride) = v[j];
            }
        }
    }
}

TARGET static void VARIANT(winograd_output)(const float *planes, size_t plane_stride, const float *bias,
                                            CKernels_tiles tiles, int pool, float *map) {
    const int step = pool ? 2 : 1, height = tiles.height / step, width = tiles.width / step;
    const size_t row_stride = (size_t)width * tiles.channels;
    for (int t = 0; t < tiles.tile_count; t++) {
        const place at = tile_place(&tiles, tiles.first_tile + t);
        float *image = map + at.image * height * row_stride;
        for (int c = 0; c < tiles.channels; c += LANES) {
            const float *source = planes + (size_t)t * tiles.channels + c;
            const lanes offset = *(const lanes *)(bias + c);
            lanes half[4][6], out[4][4];
            for (int j = 0; j < 6; j++) {
                lanes m[6], y[4];
                for (int i = 0; i < 6; i++) m[i] = *(const lanes *)(source + (size_t)(6 * i + j) * plane_stride);
                output_transform(m, y);
                for (int i = 0; i < 4; i++) half[i][j] = y[i];
            }
            for (int i = 0; i < 4; i++) {
                output_transform(half[i], out[i]);
                for (int j = 0; j < 4; j++) out[i][j] = relu(out[i][j] + offset);
            }
            for (int i = 0; i < 4 / step; i++) {
                const int y = at.y / step + i;
                if (y >= height) break;
                for (int j = 0; j < 4 / step; j++) {
                    const int x = at.x / step + j;
                    if (x >= width) break;
                    const lanes value = pool ? greater(greater(out[2 * i][2 * j], out[2 * i][2 * j + 1]),
                                                       greater(out[2 * i + 1][2 * j], out[2 * i + 1][2 * j + 1]))
                                             : out[i][j];
                    *(lanes *)(image + y * row_stride + (size_t)x * tiles.channels + c) = value;
                }
            }
        }
    }
}

TARGET static void VARIANT(bias_relu)(float *rows, size_t row_count, int channels, const float *bias) {
    for (size_t i = 0; i < row_count; i++)
        for (int c = 0; c < channels; c += LANES) {
            lanes *value = (lanes *)(rows + i * channels + c);
            *value = relu(*value + *(const lanes *)(bias + c));
        }
}

TARGET static void VARIANT(max_pool)(const float *map, int width, int channels, int first_row, int row_count,
                                     float *pooled) {
    const size_t row_stride = (size_t)width * channels;
    const int half = width / 2;
    for (int y = first_row; y < first_row + row_count; y++)
        for (int x = 0; x < half; x++)
            for (int c = 0; c < channels; c += LANES) {
                const float *from = map + 2 * y * row_stride + (size_t)(2 * x) * channels + c;
                const lanes upper = greater(*(const lanes *)from, *(const lanes *)(from + channels));
                const lanes lower =
                    greater(*(const lanes *)(from + row_stride), *(const lanes *)(from + row_stride + channels));
                *(lanes *)(pooled + ((size_t)y * half + x) * channels + c) = greater(upper, lower);
            }
}

const CKernels_convolution VARIANT(CKernels_convolution) = {
    .winograd_input = VARIANT(winograd_input),
    .winograd_output = VARIANT(winograd_output),
    .bias_relu = VARIANT(bias_relu),
    .max_pool = VARIANT(max_pool),
};
