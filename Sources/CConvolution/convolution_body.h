/* Included once an instruction set by convolution_<isa>.c, with VARIANT(name), TARGET and LANES (floats a
   register) defined, and OWN_GEMM where products are multiplied here. The contract is in cconvolution.h. */

#include "cconvolution.h"

typedef float lanes __attribute__((ext_vector_type(LANES), aligned(4 * LANES)));

#define INLINE static inline __attribute__((always_inline)) TARGET
#define UNROLLED _Pragma("clang loop unroll(full)")

/* Registers a panel of columns is wide: with 32 registers blocks of 6 rows by 4 vectors, with 16 registers 6 by 2, which
   leaves room for the vectors of a column and one row's value. */
#define PANEL_VECTORS (LANES == 16 ? 4 : 2)
#define PANEL (PANEL_VECTORS * LANES)

/* Greater than zero or NaN stays. */
INLINE lanes relu(lanes x) { return x < 0.0f ? (lanes){0} : x; }

INLINE lanes greater(lanes a, lanes b) { return a < b ? b : a; }

#include "first_body.h"
#include "winograd_body.h"

#ifdef OWN_GEMM
#include "gemm_body.h"
#endif

TARGET static void VARIANT(max_pool_f32)(const float *map, int width, int channels, int first_row, int row_count,
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

const CConvolution_dispatch_table VARIANT(CConvolution_dispatch_table) = {
    .winograd_input_f32 = VARIANT(winograd_input_f32),
    .winograd_output_f32 = VARIANT(winograd_output_f32),
#ifdef OWN_GEMM
    .gemm_f32 = VARIANT(gemm_f32),
    .product_panel = PANEL,
#endif
    .first_convolution_f32 = VARIANT(first_convolution_f32),
    .first_panel = PANEL,
    .max_pool_f32 = VARIANT(max_pool_f32),
};
