/* Included by convolution_body.h: the convolution of the image itself, whose depth is 27.

   Blocks of 6 pixels by a panel of channels, held in registers. The 9 neighbours of a pixel in one row lie side by side,
   so that no patches are copied. */

INLINE void first_block(const float *const rows[3], const float *panel, const lanes *bias, float *target, int channels,
                        const int pixels, const int vectors) {
    lanes sums[CCONVOLUTION_ROWS][PANEL_VECTORS];
    UNROLLED for (int i = 0; i < pixels; i++)
        UNROLLED for (int j = 0; j < vectors; j++) sums[i][j] = bias[j];
    for (int y = 0; y < 3; y++)
        _Pragma("clang loop unroll_count(3)") for (int q = 0; q < 9; q++) {
            lanes columns[PANEL_VECTORS];
            UNROLLED for (int j = 0; j < vectors; j++) columns[j] = *(const lanes *)(panel + j * LANES);
            UNROLLED for (int i = 0; i < pixels; i++) {
                const lanes value = (lanes)(rows[y][3 * i + q]);
                UNROLLED for (int j = 0; j < vectors; j++) sums[i][j] = value * columns[j] + sums[i][j];
            }
            panel += vectors * LANES;
        }
    UNROLLED for (int i = 0; i < pixels; i++)
        UNROLLED for (int j = 0; j < vectors; j++)
            *(lanes *)(target + (size_t)i * channels + j * LANES) = relu(sums[i][j]);
}

INLINE void first_row(const float *const rows[3], const float *panel, const float *bias, int width, float *target,
                      int channels, const int vectors) {
    const lanes *offsets = (const lanes *)bias;
    const float *at[3] = {rows[0], rows[1], rows[2]};
    int x = 0;
    for (; x + CCONVOLUTION_ROWS <= width; x += CCONVOLUTION_ROWS) {
        first_block(at, panel, offsets, target, channels, CCONVOLUTION_ROWS, vectors);
        for (int y = 0; y < 3; y++) at[y] += 3 * CCONVOLUTION_ROWS;
        target += (size_t)CCONVOLUTION_ROWS * channels;
    }
    for (; x < width; x++) {
        first_block(at, panel, offsets, target, channels, 1, vectors);
        for (int y = 0; y < 3; y++) at[y] += 3;
        target += channels;
    }
}

TARGET static void VARIANT(first_convolution_f32)(const float *rows, int width, int row_count, const float *panels,
                                              const float *bias, int channels, float *map) {
    const size_t stride = 3 * (size_t)(width + 2);
    for (int y = 0; y < row_count; y++) {
        const float *const three[3] = {rows + y * stride, rows + (y + 1) * stride, rows + (y + 2) * stride};
        float *target = map + (size_t)y * width * channels;
        for (int column = 0; column < channels; column += PANEL) {
            const float *panel = panels + (size_t)column * 27;
            const int rest = channels - column;
            if (rest >= PANEL)
                first_row(three, panel, bias + column, width, target + column, channels, PANEL_VECTORS);
#if LANES == 16
            else if (rest == 3 * LANES)
                first_row(three, panel, bias + column, width, target + column, channels, 3);
            else if (rest == 2 * LANES)
                first_row(three, panel, bias + column, width, target + column, channels, 2);
            else
                first_row(three, panel, bias + column, width, target + column, channels, 1);
#endif
        }
    }
}
