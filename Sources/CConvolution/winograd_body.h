/* Included by convolution_body.h: the transforms of F(4x4, 3x3). */

/* a^2 = 1/2, b^2 = 2. */
static const float point_a = 0.70710678118654752f, point_b = 1.41421356237309505f;

/* One column of B^T d: six inputs to six values. */
INLINE void input_transform(const lanes d[6], lanes v[6]) {
    const lanes even_a = d[4] - 2.0f * d[2], odd_a = d[3] - 2.0f * d[1];
    const lanes even_b = d[4] - 0.5f * d[2], odd_b = d[3] - 0.5f * d[1];
    v[0] = d[0] - 2.5f * d[2] + d[4];
    v[1] = even_a + point_a * odd_a;
    v[2] = even_a - point_a * odd_a;
    v[3] = even_b + point_b * odd_b;
    v[4] = even_b - point_b * odd_b;
    v[5] = d[1] - 2.5f * d[3] + d[5];
}

/* One column of A^T m: six values to four outputs. */
INLINE void output_transform(const lanes m[6], lanes y[4]) {
    const lanes sum_a = m[1] + m[2], difference_a = m[1] - m[2];
    const lanes sum_b = m[3] + m[4], difference_b = m[3] - m[4];
    y[0] = m[0] + sum_a + sum_b;
    y[1] = point_a * difference_a + point_b * difference_b;
    y[2] = 0.5f * sum_a + 2.0f * sum_b;
    y[3] = m[5] + (0.5f * point_a) * difference_a + (2.0f * point_b) * difference_b;
}

typedef struct {
    size_t image;
    int y, x;
} place;

INLINE place tile_place(const CConvolution_tiles *tiles, int tile) {
    const int across = (tiles->width + 3) / 4, down = (tiles->height + 3) / 4;
    const int within = tile % (across * down);
    return (place){(size_t)(tile / (across * down)), within / across * 4, within % across * 4};
}

/* Where row t's channel c lies in the left factor of a product. */
INLINE size_t left_offset(int t, int channels, int c) {
#ifndef OWN_GEMM
    return (size_t)t * channels + c;
#endif
    const int group = t / CCONVOLUTION_ROWS, row = t % CCONVOLUTION_ROWS;
    const int chunk = c / CCONVOLUTION_CHANNEL_MULTIPLE, rest = c % CCONVOLUTION_CHANNEL_MULTIPLE;
    return (size_t)group * CCONVOLUTION_ROWS * channels +
           (size_t)(chunk * CCONVOLUTION_ROWS + row) * CCONVOLUTION_CHANNEL_MULTIPLE + rest;
}

/* Where column c of row t lies in a product of `rows` rows. */
INLINE size_t product_offset(int t, int rows, int columns, int c) {
#ifndef OWN_GEMM
    return (size_t)t * columns + c;
#endif
    const int panel = c / PANEL * PANEL, width = columns - panel < PANEL ? columns - panel : PANEL;
    return (size_t)panel * rows + (size_t)t * width + (c - panel);
}

/* One column of six inputs, transformed; `whole` says that all of them lie in the image. */
INLINE void input_column(const float *image, const CConvolution_tiles *tiles, int top, int x, int c, lanes v[6],
                         const int whole) {
    lanes d[6];
    UNROLLED for (int i = 0; i < 6; i++) {
        const int y = top + i;
        d[i] = whole || (y >= 0 && y < tiles->height && x >= 0 && x < tiles->width)
                   ? *(const lanes *)(image + ((ptrdiff_t)y * tiles->width + x) * tiles->channels + c)
                   : (lanes){0};
    }
    input_transform(d, v);
}

TARGET static void VARIANT(winograd_input_f32)(const float *map, CConvolution_tiles tiles, float *planes, size_t plane_stride) {
    const size_t image_size = (size_t)tiles.height * tiles.width * tiles.channels;
    for (int c = 0; c < tiles.channel_count; c += LANES) {
        const int channel = tiles.first_channel + c;
        place at = tile_place(&tiles, tiles.first_tile);
        const float *image = map + at.image * image_size;
        /* Columns of the tile after the first pass; the last two are the next tile's first two. */
        lanes half[6][6];
        int known = 0;
        for (int t = 0; t < tiles.tile_count; t++) {
            if (at.y > 0 && at.x > 0 && at.y + 5 <= tiles.height && at.x + 5 <= tiles.width) {
                if (!known)
                    for (int j = 0; j < 2; j++)
                        input_column(image, &tiles, at.y - 1, at.x - 1 + j, channel, half[j], 1);
                /* The next tile's columns: no prefetcher of the processor follows steps of a tile. */
                if (at.x + 9 <= tiles.width)
                    UNROLLED for (int j = 6; j < 10; j++)
                        UNROLLED for (int i = 0; i < 6; i++)
                            __builtin_prefetch(image + ((ptrdiff_t)(at.y - 1 + i) * tiles.width + at.x - 1 + j) *
                                                           tiles.channels + channel);
                UNROLLED for (int j = 2; j < 6; j++)
                    input_column(image, &tiles, at.y - 1, at.x - 1 + j, channel, half[j], 1);
            } else {
                for (int j = known ? 2 : 0; j < 6; j++)
                    input_column(image, &tiles, at.y - 1, at.x - 1 + j, channel, half[j], 0);
            }
            float *target = planes + left_offset(t, tiles.channel_count, c);
            UNROLLED for (int i = 0; i < 6; i++) {
                lanes d[6], v[6];
                UNROLLED for (int j = 0; j < 6; j++) d[j] = half[j][i];
                input_transform(d, v);
                UNROLLED for (int j = 0; j < 6; j++) *(lanes *)(target + (size_t)(6 * i + j) * plane_stride) = v[j];
            }
            at.x += 4;
            known = at.x < tiles.width;
            if (known) {
                UNROLLED for (int i = 0; i < 6; i++) half[0][i] = half[4][i], half[1][i] = half[5][i];
                continue;
            }
            at.x = 0;
            at.y += 4;
            if (at.y < tiles.height) continue;
            at.y = 0;
            image += image_size;
        }
    }
}

TARGET static void VARIANT(winograd_output_f32)(const float *planes, size_t plane_stride, const float *bias,
                                            CConvolution_tiles tiles, int pool, float *map) {
    const int step = pool ? 2 : 1, height = tiles.height / step, width = tiles.width / step;
    const size_t row_stride = (size_t)width * tiles.channels;
    for (int t = 0; t < tiles.tile_count; t++) {
        const place at = tile_place(&tiles, tiles.first_tile + t);
        float *image = map + at.image * height * row_stride;
        for (int c = 0; c < tiles.channel_count; c += LANES) {
            const float *source = planes + product_offset(t, tiles.tile_count, tiles.channel_count, c);
            const int channel = tiles.first_channel + c;
            const lanes offset = *(const lanes *)(bias + channel);
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
                    *(lanes *)(image + y * row_stride + (size_t)x * tiles.channels + channel) = value;
                }
            }
        }
    }
}
