#include "vectors.h"

#include <math.h>

bool CIndexKernels_measure_f32(const float *x, size_t count, float *largest, double *squares) {
    /* Four sums, so that additions do not wait for each other; a float that is not finite makes its square so too. */
    double sums[4] = {0, 0, 0, 0};
    float tops[4] = {0, 0, 0, 0};
    for (size_t k = 0; k < count; k++) {
        const float magnitude = fabsf(x[k]);
        sums[k & 3] += (double)x[k] * x[k];
        tops[k & 3] = magnitude > tops[k & 3] ? magnitude : tops[k & 3];
    }
    *squares = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    *largest = fmaxf(fmaxf(tops[0], tops[1]), fmaxf(tops[2], tops[3]));
    return isfinite(*squares);
}

int64_t CIndexKernels_split_i16(const int16_t *value, size_t count, int8_t *high, int8_t *low) {
    int32_t sum = 0;
    int64_t total = 0;
    for (size_t k = 0; k < count; k++) {
        const int upper = (value[k] + 64) >> 7;
        high[k] = (int8_t)upper;
        low[k] = (int8_t)(value[k] - upper * 128);
        sum += value[k];
        /* 4,096 values of 15 bits fit in an int32. */
        if ((k & 4095) == 4095) {
            total += sum;
            sum = 0;
        }
    }
    return total + sum;
}

void CIndexKernels_round_f32_i16(const float *x, size_t count, float unit, int16_t *value) {
    /* Adding 1.5 * 2^23 rounds to a whole number, in every vector unit and without a call of lrintf. */
    const float inverse = 1.0f / unit, shift = 0x1.8p23f;
    for (size_t k = 0; k < count; k++) value[k] = (int16_t)(x[k] * inverse + shift - shift);
}

void CIndexKernels_prefetch(const void *bytes, size_t count) {
    for (size_t at = 0; at < count; at += 64) __builtin_prefetch((const char *)bytes + at, 0, 3);
}
