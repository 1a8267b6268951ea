#include "dispatch_tables.h"
#include "isa.h"

#include <math.h>
#include <string.h>

/* binary16 bits of a float and back, round half to even: what vcvtps2ph and vcvtph2ps do. */
static uint16_t f16_of_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, 4);
    const uint16_t sign = (uint16_t)((bits >> 16) & 0x8000u);
    bits &= 0x7FFFFFFFu;
    if (bits > 0x7F800000u) return sign | 0x7E00u;  /* not a number */
    if (bits >= 0x477FF000u) return sign | 0x7C00u; /* 65520 and above round to infinity */
    if (bits < 0x38800000u) {
        /* Below 2^-14 the half is subnormal: a multiple of 2^-24. Adding 0.5 leaves that multiple in the low bits of
           the sum, rounded by the addition itself. */
        float magnitude;
        memcpy(&magnitude, &bits, 4);
        const float sum = magnitude + 0.5f;
        uint32_t sum_bits;
        memcpy(&sum_bits, &sum, 4);
        return sign | (uint16_t)(sum_bits - 0x3F000000u);
    }
    const uint32_t odd = (bits >> 13) & 1u;
    return sign | (uint16_t)((bits + 0xFFFu + odd - 0x38000000u) >> 13);
}

static float f32_of_f16(uint16_t half) {
    const uint32_t sign = (uint32_t)(half & 0x8000u) << 16;
    const uint32_t exponent = (half >> 10) & 0x1Fu;
    const uint32_t fraction = half & 0x3FFu;
    if (exponent == 0) {
        const float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    const uint32_t bits = sign | (exponent == 31 ? 0x7F800000u : (exponent + 112u) << 23) | (fraction << 13);
    float x;
    memcpy(&x, &bits, 4);
    return x;
}

static void score_rows_u8_portable(
    const CIndexKernels_query *query, const uint8_t *const *rows, size_t count, float *scores) {
    for (size_t i = 0; i < count; i++) {
        int64_t sum = 0;
        for (size_t k = 0; k < query->stride; k += 64) {
            int32_t block = 0;
            for (size_t j = k; j < k + 64; j++) block += (int32_t)query->value[j] * rows[i][j];
            sum += block;
        }
        scores[i] = score_of(query, sum);
    }
}

static int32_t dot_u8_portable(const uint8_t *a, const uint8_t *b, size_t stride, int zero_point) {
    int32_t sum = 0;
    for (size_t k = 0; k < stride; k++) sum += ((int32_t)a[k] - zero_point) * ((int32_t)b[k] - zero_point);
    return sum;
}

static float quantize_f32_u8_portable(const float *x, size_t count, float scale, int zero_point, uint8_t *codes) {
    const float inverse = 1.0f / scale;
    float missed = 0;
    for (size_t k = 0; k < count; k++) {
        const float wanted = rintf(x[k] * inverse) + (float)zero_point;
        const float code = wanted < 0 ? 0 : wanted > 255 ? 255 : wanted;
        codes[k] = (uint8_t)code;
        const float error = x[k] - scale * (code - (float)zero_point);
        missed += error * error;
    }
    return missed;
}

static void project_f32_portable(const float *x, size_t dimension, const float *blocks, size_t block_count, float *y) {
    for (size_t b = 0; b < block_count; b++, y += 64) {
        memset(y, 0, 64 * sizeof *y);
        for (size_t i = 0; i < dimension; i++, blocks += 64)
            for (size_t j = 0; j < 64; j++) y[j] += x[i] * blocks[j];
    }
}

static float dot_f32_f16_portable(const float *x, const void *halves, size_t count) {
    const uint8_t *at = halves;
    float sum = 0;
    for (size_t k = 0; k < count; k++) {
        uint16_t half;
        memcpy(&half, at + 2 * k, 2);
        sum += x[k] * f32_of_f16(half);
    }
    return sum;
}

static void convert_f32_f16_portable(const float *x, size_t count, void *halves) {
    uint8_t *at = halves;
    for (size_t k = 0; k < count; k++) {
        const uint16_t half = f16_of_f32(x[k]);
        memcpy(at + 2 * k, &half, 2);
    }
}

static void convert_f16_f32_portable(const void *halves, size_t count, float *x) {
    const uint8_t *at = halves;
    for (size_t k = 0; k < count; k++) {
        uint16_t half;
        memcpy(&half, at + 2 * k, 2);
        x[k] = f32_of_f16(half);
    }
}

const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_portable = {
    .score_rows_u8 = score_rows_u8_portable,
    .dot_u8 = dot_u8_portable,
    .quantize_f32_u8 = quantize_f32_u8_portable,
    .project_f32 = project_f32_portable,
    .dot_f32_f16 = dot_f32_f16_portable,
    .convert_f32_f16 = convert_f32_f16_portable,
    .convert_f16_f32 = convert_f16_f32_portable,
};

const CIndexKernels_dispatch_table *CIndexKernels_dispatch_table_for(uint32_t isa) {
    if (!CPlatform_has_isa((CPlatform_isa)isa)) return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case CPLATFORM_ISA_AVX512:
        return &CIndexKernels_dispatch_table_avx512;
    case CPLATFORM_ISA_AVX2:
        return &CIndexKernels_dispatch_table_avx2;
#endif
    default:
        return &CIndexKernels_dispatch_table_portable;
    }
}
