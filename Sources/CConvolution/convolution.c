#include "cconvolution.h"
#include "isa.h"

#include <string.h>

extern const CConvolution_dispatch_table CConvolution_dispatch_table_portable;
#if defined(__x86_64__)
extern const CConvolution_dispatch_table CConvolution_dispatch_table_avx2;
extern const CConvolution_dispatch_table CConvolution_dispatch_table_avx512;
#endif

const CConvolution_dispatch_table *CConvolution_dispatch_table_for(uint32_t isa) {
    if (!CPlatform_has_isa((CPlatform_isa)isa)) return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case CPLATFORM_ISA_AVX512:
        return &CConvolution_dispatch_table_avx512;
    case CPLATFORM_ISA_AVX2:
        return &CConvolution_dispatch_table_avx2;
#endif
    default:
        return &CConvolution_dispatch_table_portable;
    }
}

void CConvolution_winograd_weights_f32(const float *weights, size_t weight_stride, int output_channels, float *planes,
                               size_t plane_stride) {
    /* G: row p is (1, p, p^2) divided by the product of p's distances to the other finite points; the last is infinity. */
    const double a = 0.70710678118654752440, b = 1.41421356237309504880;
    const double g[6][3] = {
        {1, 0, 0},
        {-1 / 1.5, -a / 1.5, -0.5 / 1.5},
        {-1 / 1.5, a / 1.5, -0.5 / 1.5},
        {1.0 / 6, b / 6, 2.0 / 6},
        {1.0 / 6, -b / 6, 2.0 / 6},
        {0, 0, 1},
    };
    for (int k = 0; k < output_channels; k++) {
        const float *w = weights + (size_t)k * weight_stride;
        double half[6][3];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 3; j++) half[i][j] = g[i][0] * w[j] + g[i][1] * w[3 + j] + g[i][2] * w[6 + j];
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++)
                planes[(size_t)(6 * i + j) * plane_stride + k] =
                    (float)(half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2]);
    }
}

void CConvolution_preprocess_u8_f32(const uint8_t *pixels, int side, int first_row, int row_count, const float *tables,
                         const int *bytes, float *rows) {
    const size_t stride = 3 * (size_t)(side + 2);
    for (int y = first_row - 1; y <= first_row + row_count; y++, rows += stride) {
        if (y < 0 || y >= side) {
            memset(rows, 0, stride * sizeof *rows);
            continue;
        }
        const uint8_t *from = pixels + 3 * (size_t)y * side;
        float *to = rows;
        for (int p = 0; p < 3; p++) *to++ = 0;
        for (int x = 0; x < side; x++, from += 3)
            for (int p = 0; p < 3; p++) *to++ = tables[256 * p + from[bytes[p]]];
        for (int p = 0; p < 3; p++) *to++ = 0;
    }
}
