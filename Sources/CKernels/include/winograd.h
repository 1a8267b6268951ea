#ifndef CKERNELS_WINOGRAD_H
#define CKERNELS_WINOGRAD_H

#include <stddef.h>
#include <stdint.h>

#include "isa.h"

/*
 * The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, arXiv 1509.09308) and the small passes of a convolution network.
 *
 * Maps are channels-last: [image][row][column][channel], fp32, 64-byte aligned; the channel count is padded to a multiple
 * of CKERNELS_CHANNEL_MULTIPLE and the padding is zero, in and out. A tile is 4x4 outputs; tiles are numbered image by image, row by row,
 * ceil(height / 4) * ceil(width / 4) an image. Interpolation points are 0, +-sqrt(1/2), +-sqrt(2) and infinity, which err
 * least among the usual ones.
 */

#define CKERNELS_CHANNEL_MULTIPLE 16
#define CKERNELS_WINOGRAD_PLANES 36

/* A run of tiles of a batch of maps. */
typedef struct {
    int height;
    int width;
    int channels;   /* padded */
    int first_tile; /* over all images */
    int tile_count;
} CKernels_tiles;

/* One table an instruction set; all variants compute the same expression, fused or not fused. */
typedef struct {
    /* Input tiles to planes: planes[p * plane_stride + t * channels + c], t counted from the first tile. */
    void (*_Nonnull winograd_input)(const float *_Nonnull map, CKernels_tiles tiles, float *_Nonnull planes,
                                    size_t plane_stride);
    /* Planes to outputs plus bias, then ReLU that keeps NaN, then with `pool` a 2x2 maximum with stride 2 that leaves out
       an odd last row or column. `map` is [image][height][width][channels], halved with `pool`. */
    void (*_Nonnull winograd_output)(const float *_Nonnull planes, size_t plane_stride, const float *_Nonnull bias,
                                     CKernels_tiles tiles, int pool, float *_Nonnull map);
    /* rows[i][c] = relu(rows[i][c] + bias[c]) */
    void (*_Nonnull bias_relu)(float *_Nonnull rows, size_t row_count, int channels, const float *_Nonnull bias);
    /* 2x2 maximum with stride 2 of one image's rows: output rows [first_row, first_row + row_count). */
    void (*_Nonnull max_pool)(const float *_Nonnull map, int width, int channels, int first_row, int row_count,
                              float *_Nonnull pooled);
} CKernels_convolution;

/* The table of `isa`, or null when this processor lacks it. */
const CKernels_convolution *_Nullable CKernels_convolution_table(CKernels_isa isa);

/*
 * Weights of one input channel to planes, in double precision: for every output channel k
 * planes[p * plane_stride + k] = (G w G^T)[p] where w = weights[k * weight_stride + 0..8].
 */
void CKernels_winograd_weights(const float *_Nonnull weights, size_t weight_stride, int output_channels,
                               float *_Nonnull planes, size_t plane_stride);

/*
 * The first layer's patches: for every pixel of rows [first_row, first_row + row_count) of one `side` x `side` uint8 RGB
 * image the 27 preprocessed values of its 3x3 neighbourhood, [row][column][dy][dx][plane], zero outside of the image.
 * `tables` is [3][256]: the preprocessed value of every byte, a table a plane; plane p reads byte `bytes[p]` of a pixel.
 */
void CKernels_first_patches(const uint8_t *_Nonnull pixels, int side, int first_row, int row_count,
                            const float *_Nonnull tables, const int *_Nonnull bytes, float *_Nonnull patches);

#endif
