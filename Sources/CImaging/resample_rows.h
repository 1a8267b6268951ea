/* The two passes of a resize, in the vectors of the compiler. Included once for each instruction set, with

   VARIANT(name): the function's name there
   TARGET: its attributes

   All arithmetic is on integers, so every variant gives the same bytes. */

/* Makes `axis->count` pixels of a row. Reads one byte behind `input` and writes one behind `output`. */
TARGET static void VARIANT(shrink_row)(const resample_axis *axis, const uint8_t *input, uint8_t *output) {
    for (uint32_t i = 0; i < axis->count; i++, output += 3) {
        const uint8_t *pixel = input + (size_t)axis->first[i] * 3;
        const int32_t *coefficients = axis->coefficients + i * axis->stride;
        /* Red, green, blue, and what follows. */
        int32x4 sum = {half, half, half, half};
        for (uint32_t t = 0; t < axis->taps[i]; t++, pixel += 3) {
            uint8x4 bytes;
            memcpy(&bytes, pixel, sizeof bytes);
            sum += __builtin_convertvector(bytes, int32x4) * coefficients[t];
        }
        sum = __builtin_elementwise_min(sum >> fraction_bits, (int32x4){255, 255, 255, 255});
        uint8x4 bytes = __builtin_convertvector(sum, uint8x4);
        memcpy(output, &bytes, sizeof bytes);
    }
}

/* Makes row `i` of the result, of `byte_count` bytes, from the window's rows. */
TARGET static void VARIANT(blend_rows)(const resampler *r, uint32_t i, size_t byte_count, uint8_t *output) {
    enum { block = 32, lanes = 8, vectors = block / lanes };
    const int32_t *coefficients = r->y.coefficients + i * r->y.stride;
    for (size_t at = 0; at < byte_count; at += block) {
        int32x8 sums[vectors];
        for (int v = 0; v < vectors; v++) sums[v] = (int32x8){half, half, half, half, half, half, half, half};
        for (uint32_t t = 0; t < r->y.taps[i]; t++) {
            const uint8_t *row = r->window + (r->y.first[i] + t) % r->y.stride * r->row_stride + at;
            for (int v = 0; v < vectors; v++) {
                uint8x8 bytes;
                memcpy(&bytes, row + v * lanes, sizeof bytes);
                sums[v] += __builtin_convertvector(bytes, int32x8) * coefficients[t];
            }
        }
        uint8_t done[block];
        for (int v = 0; v < vectors; v++) {
            const int32x8 top = {255, 255, 255, 255, 255, 255, 255, 255};
            uint8x8 bytes = __builtin_convertvector(__builtin_elementwise_min(sums[v] >> fraction_bits, top), uint8x8);
            memcpy(done + v * lanes, &bytes, sizeof bytes);
        }
        memcpy(output + at, done, byte_count - at < block ? byte_count - at : block);
    }
}
