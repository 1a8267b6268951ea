/* Included by convolution_body.h: products of matrices.

   A block is CCONVOLUTION_ROWS rows by a panel of columns, held in registers while the depth runs: a column vector is
   loaded once for all rows, a row's value once for all columns (Goto and van de Geijn, ACM TOMS 34(3), 2008). */

/* rows x (vectors * LANES) products of depth `depth`, a multiple of 16. A line of `next` is fetched a step of the depth. */
INLINE void block(const float *left, const float *panel, int depth, float *product, const float *next, int accumulate,
                  const int rows, const int vectors) {
    lanes sums[CCONVOLUTION_ROWS][PANEL_VECTORS];
    /* The old sums are needed last. */
    if (accumulate) UNROLLED for (int i = 0; i < rows * vectors; i++) __builtin_prefetch(product + i * LANES, 1);
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < vectors; j++) sums[i][j] = (lanes){0};
    for (int k = 0; k < depth; k += CCONVOLUTION_CHANNEL_MULTIPLE) {
        _Pragma("clang loop unroll_count(4)") for (int q = 0; q < CCONVOLUTION_CHANNEL_MULTIPLE; q++) {
            lanes columns[PANEL_VECTORS];
            UNROLLED for (int j = 0; j < vectors; j++) columns[j] = *(const lanes *)(panel + j * LANES);
            UNROLLED for (int i = 0; i < rows; i++) {
                const lanes value = (lanes)(left[i * CCONVOLUTION_CHANNEL_MULTIPLE + q]);
                UNROLLED for (int j = 0; j < vectors; j++) sums[i][j] = value * columns[j] + sums[i][j];
            }
            panel += vectors * LANES;
            __builtin_prefetch(next, 0, 2);
            next += 16;
        }
        left += CCONVOLUTION_ROWS * CCONVOLUTION_CHANNEL_MULTIPLE;
    }
    lanes *target = (lanes *)product;
    UNROLLED for (int i = 0; i < rows; i++)
        UNROLLED for (int j = 0; j < vectors; j++)
            target[i * vectors + j] = accumulate ? target[i * vectors + j] + sums[i][j] : sums[i][j];
}

/* All rows of one panel. */
INLINE void panel_product(const float *left, const float *panel, int rows, int depth, float *product, int accumulate,
                          const int vectors) {
    const float *next = panel + (size_t)depth * vectors * LANES;
    for (; rows >= CCONVOLUTION_ROWS; rows -= CCONVOLUTION_ROWS) {
        block(left, panel, depth, product, next, accumulate, CCONVOLUTION_ROWS, vectors);
        left += (size_t)CCONVOLUTION_ROWS * depth;
        next += (size_t)depth * 16;
        product += CCONVOLUTION_ROWS * vectors * LANES;
    }
    switch (rows) {
    case 1: block(left, panel, depth, product, next, accumulate, 1, vectors); break;
    case 2: block(left, panel, depth, product, next, accumulate, 2, vectors); break;
    case 3: block(left, panel, depth, product, next, accumulate, 3, vectors); break;
    case 4: block(left, panel, depth, product, next, accumulate, 4, vectors); break;
    case 5: block(left, panel, depth, product, next, accumulate, 5, vectors); break;
    default: break;
    }
}

TARGET static void VARIANT(gemm_f32)(const float *left, const float *right, int rows, int depth, int columns,
                                     int accumulate, float *product) {
    for (int column = 0; column < columns; column += PANEL) {
        const float *panel = right + (size_t)column * depth;
        float *target = product + (size_t)column * rows;
        const int rest = columns - column;
        if (rest >= PANEL)
            panel_product(left, panel, rows, depth, target, accumulate, PANEL_VECTORS);
#if LANES == 16
        /* Columns are a multiple of 16, so only here a panel may be narrower. */
        else if (rest == 3 * LANES)
            panel_product(left, panel, rows, depth, target, accumulate, 3);
        else if (rest == 2 * LANES)
            panel_product(left, panel, rows, depth, target, accumulate, 2);
        else
            panel_product(left, panel, rows, depth, target, accumulate, 1);
#endif
    }
}
