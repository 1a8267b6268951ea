#ifndef CCONVOLUTION_H
#define CCONVOLUTION_H

#include <stddef.h>
#include <stdint.h>

/*
 * The transforms of Winograd's F(4x4, 3x3) (Lavin and Gray, arXiv 1509.09308) and the small passes of a convolution network.
 *
 * Maps are channels-last: [image][row][column][channel], fp32, 64-byte aligned; the channel count is padded to a multiple
 * of CCONVOLUTION_CHANNEL_MULTIPLE and the padding is zero, in and out. A tile is 4x4 outputs; tiles are numbered image by image, row by row,
 * ceil(height / 4) * ceil(width / 4) an image. Interpolation points are 0, +-sqrt(1/2), +-sqrt(2) and infinity, which err
 * least among the usual ones.
 */

#define CCONVOLUTION_CHANNEL_MULTIPLE 16
#define CCONVOLUTION_WINOGRAD_PLANES 36
/* Rows of a product that a kernel computes at once. */
#define CCONVOLUTION_ROWS 6

/* A run of tiles of a batch of maps, and some of their channels. */
typedef struct {
    int height;
    int width;
    int channels;   /* of the map, padded */
    int first_tile; /* over all images */
    int tile_count;
    int first_channel; /* a multiple of CCONVOLUTION_CHANNEL_MULTIPLE, as is the count */
    int channel_count;
} CConvolution_tiles;

/*
 * Products are cut into blocks of CCONVOLUTION_ROWS rows and panels of `product_panel` columns. The factors lie as the kernels read them:
 *   left     [rows / 6, rounded up][depth / 16][6][16]
 *   right    [columns / product_panel, rounded up][depth][product_panel], the last panel as narrow as what is left
 *   product  [panels][rows][product_panel], likewise
 * Depth and columns are multiples of CCONVOLUTION_CHANNEL_MULTIPLE. A table without `gemm_f32` leaves products to BLAS; all three are
 * plain row-major matrices there.
 */

/* One table an instruction set; all variants compute the same expression, fused or not fused. */
typedef struct {
    /* Input tiles to the left factors of 36 products, one a plane: row t of plane p, t counted from the first tile,
       in the layout above from planes + p * plane_stride on; the depth is channel_count. */
    void (*_Nonnull winograd_input_f32)(const float *_Nonnull map, CConvolution_tiles tiles, float *_Nonnull planes,
                                    size_t plane_stride);
    /* product = left * right, or with `accumulate` product += left * right; fp32, summed in the order of the depth. What
       lies behind the right factor is fetched into the cache: it comes next. Null where BLAS multiplies. */
    void (*_Nullable gemm_f32)(const float *_Nonnull left, const float *_Nonnull right, int rows, int depth, int columns,
                               int accumulate, float *_Nonnull product);
    /* Products of tile_count rows and channel_count columns to outputs plus bias, then ReLU that keeps NaN, then with `pool` a 2x2
       maximum with stride 2 that leaves out an odd last row or column. `map` is [image][height][width][channels], halved
       with `pool`; `bias` is that of all channels. */
    void (*_Nonnull winograd_output_f32)(const float *_Nonnull planes, size_t plane_stride, const float *_Nonnull bias,
                                     CConvolution_tiles tiles, int pool, float *_Nonnull map);
    /* The first layer with bias and ReLU. `rows` is [row_count + 2][width + 2][3], preprocessed, with zeros around the
       image; `right` a factor of depth 27 in the order [dy][dx][plane]; `map` is [row_count][width][channels]. */
    void (*_Nonnull first_convolution_f32)(const float *_Nonnull rows, int width, int row_count,
                                       const float *_Nonnull right, const float *_Nonnull bias, int channels,
                                       float *_Nonnull map);
    /* 2x2 maximum with stride 2 of one image's rows: output rows [first_row, first_row + row_count). */
    void (*_Nonnull max_pool_f32)(const float *_Nonnull map, int width, int channels, int first_row, int row_count,
                              float *_Nonnull pooled);
    /* Columns of a panel; 0 without `gemm_f32`. */
    int product_panel;
    /* Columns of a panel of the first layer's right factor. */
    int first_panel;
} CConvolution_dispatch_table;

/* The table of an instruction set, a `CPlatform_isa`; null when this processor lacks it. */
const CConvolution_dispatch_table *_Nullable CConvolution_dispatch_table_for(uint32_t isa);

/*
 * Weights of one input channel to one row of a panel of the right factors of 36 products, in double precision: column k of
 * output_channels of plane p is (G w G^T)[p] where w = weights[k * weight_stride + 0..8], at planes[p * plane_stride + k].
 */
void CConvolution_winograd_weights_f32(const float *_Nonnull weights, size_t weight_stride, int output_channels,
                               float *_Nonnull planes, size_t plane_stride);

/*
 * Pixels to numbers, for the first layer: rows [first_row - 1, first_row + row_count + 1) of one `side` x `side` uint8 RGB image, a column of zeros on
 * both sides, rows of zeros above and below the image: [row_count + 2][side + 2][3].
 * `tables` is [3][256]: the preprocessed value of every byte, a table a plane; plane p reads byte `bytes[p]` of a pixel.
 */
void CConvolution_preprocess_u8_f32(const uint8_t *_Nonnull pixels, int side, int first_row, int row_count,
                         const float *_Nonnull tables, const int *_Nonnull bytes, float *_Nonnull rows);

#endif
