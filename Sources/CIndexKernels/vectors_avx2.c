#include "dispatch_tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma,f16c")))

AVX2 static inline int64_t sum_lanes(__m256i lanes) {
    const __m256i wide = _mm256_add_epi64(
        _mm256_cvtepi32_epi64(_mm256_castsi256_si128(lanes)), _mm256_cvtepi32_epi64(_mm256_extracti128_si256(lanes, 1)));
    const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    return _mm_cvtsi128_si64(half) + _mm_extract_epi64(half, 1);
}

AVX2 static inline float sum_floats(__m256 lanes) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    sum = _mm_add_ss(sum, _mm_movehdup_ps(sum));
    return _mm_cvtss_f32(sum);
}

AVX2 static inline __m256i widen(const uint8_t *codes) {
    return _mm256_cvtepu8_epi16(_mm_load_si128((const __m128i *)codes));
}

/* Widens to int16 and multiplies with vpmaddwd: vpmaddubsw would saturate at 2 * 255 * 127. A lane sums at most
   512 products of 16256 * 255 for 4,096 components, which is below 2^31. */
AVX2 static void score_rows_u8_avx2(
    const CIndexKernels_query *query, const uint8_t *const *rows, size_t count, float *scores) {
    const size_t stride = query->stride, ahead = rows_ahead(stride);
    for (size_t i = 0; i < count; i++) {
        if (i + ahead < count) prefetch_row(rows[i + ahead], stride);
        const uint8_t *row = rows[i];
        __m256i even = _mm256_setzero_si256(), odd = even;
        for (size_t k = 0; k < stride; k += 32) {
            const __m256i q0 = _mm256_load_si256((const __m256i *)(query->value + k));
            const __m256i q1 = _mm256_load_si256((const __m256i *)(query->value + k + 16));
            even = _mm256_add_epi32(even, _mm256_madd_epi16(widen(row + k), q0));
            odd = _mm256_add_epi32(odd, _mm256_madd_epi16(widen(row + k + 16), q1));
        }
        scores[i] = score_of(query, sum_lanes(even) + sum_lanes(odd));
    }
}

AVX2 static int32_t dot_u8_avx2(const uint8_t *a, const uint8_t *b, size_t stride, int zero_point) {
    const __m256i offsets = _mm256_set1_epi16((short)zero_point);
    __m256i even = _mm256_setzero_si256(), odd = even;
    for (size_t k = 0; k < stride; k += 32) {
        const __m256i a0 = _mm256_sub_epi16(widen(a + k), offsets), b0 = _mm256_sub_epi16(widen(b + k), offsets);
        const __m256i a1 = _mm256_sub_epi16(widen(a + k + 16), offsets);
        const __m256i b1 = _mm256_sub_epi16(widen(b + k + 16), offsets);
        even = _mm256_add_epi32(even, _mm256_madd_epi16(a0, b0));
        odd = _mm256_add_epi32(odd, _mm256_madd_epi16(a1, b1));
    }
    return (int32_t)(sum_lanes(even) + sum_lanes(odd));
}

AVX2 static float quantize_f32_u8_avx2(const float *x, size_t count, float scale, int zero_point, uint8_t *codes) {
    const __m256 inverse = _mm256_set1_ps(1.0f / scale), scales = _mm256_set1_ps(scale);
    const __m256 offsets = _mm256_set1_ps((float)zero_point), top = _mm256_set1_ps(255);
    __m256 missed = _mm256_setzero_ps();
    size_t k = 0;
    for (; k + 8 <= count; k += 8) {
        const __m256 value = _mm256_loadu_ps(x + k);
        __m256 code = _mm256_round_ps(_mm256_mul_ps(value, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        code = _mm256_min_ps(_mm256_max_ps(_mm256_add_ps(code, offsets), _mm256_setzero_ps()), top);
        const __m256 error = _mm256_sub_ps(value, _mm256_mul_ps(scales, _mm256_sub_ps(code, offsets)));
        missed = _mm256_fmadd_ps(error, error, missed);
        const __m256i wide = _mm256_cvtps_epi32(code);
        const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
        _mm_storel_epi64((__m128i *)(codes + k), _mm_packus_epi16(words, words));
    }
    return sum_floats(missed) +
           CIndexKernels_dispatch_table_portable.quantize_f32_u8(x + k, count - k, scale, zero_point, codes + k);
}

/* 32 columns at a time, in two sums each: enough additions under way to hide their latency. */
AVX2 static void project_f32_avx2(const float *x, size_t dimension, const float *blocks, size_t block_count, float *y) {
    for (size_t half = 0; half < 2 * block_count; half++) {
        const float *at = blocks + half / 2 * dimension * 64 + half % 2 * 32;
        __m256 even[4], odd[4];
        for (int j = 0; j < 4; j++) even[j] = odd[j] = _mm256_setzero_ps();
        size_t i = 0;
        for (; i + 2 <= dimension; i += 2, at += 128) {
            const __m256 first = _mm256_set1_ps(x[i]), second = _mm256_set1_ps(x[i + 1]);
            for (int j = 0; j < 4; j++) {
                even[j] = _mm256_fmadd_ps(first, _mm256_load_ps(at + 8 * j), even[j]);
                odd[j] = _mm256_fmadd_ps(second, _mm256_load_ps(at + 64 + 8 * j), odd[j]);
            }
        }
        if (i < dimension)
            for (int j = 0; j < 4; j++)
                even[j] = _mm256_fmadd_ps(_mm256_set1_ps(x[i]), _mm256_load_ps(at + 8 * j), even[j]);
        for (int j = 0; j < 4; j++) _mm256_store_ps(y + 32 * half + 8 * j, _mm256_add_ps(even[j], odd[j]));
    }
}

AVX2 static float dot_f32_f16_avx2(const float *x, const void *halves, size_t count) {
    const uint16_t *half = halves;
    __m256 even = _mm256_setzero_ps(), odd = even;
    size_t k = 0;
    for (; k + 16 <= count; k += 16) {
        const __m128i h0 = _mm_loadu_si128((const __m128i *)(const void *)(half + k));
        const __m128i h1 = _mm_loadu_si128((const __m128i *)(const void *)(half + k + 8));
        even = _mm256_fmadd_ps(_mm256_loadu_ps(x + k), _mm256_cvtph_ps(h0), even);
        odd = _mm256_fmadd_ps(_mm256_loadu_ps(x + k + 8), _mm256_cvtph_ps(h1), odd);
    }
    return sum_floats(_mm256_add_ps(even, odd)) +
           CIndexKernels_dispatch_table_portable.dot_f32_f16(x + k, (const uint8_t *)halves + 2 * k, count - k);
}

AVX2 static void convert_f32_f16_avx2(const float *x, size_t count, void *halves) {
    uint8_t *at = halves;
    size_t k = 0;
    for (; k + 8 <= count; k += 8) {
        const __m128i half = _mm256_cvtps_ph(_mm256_loadu_ps(x + k), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        _mm_storeu_si128((__m128i *)(at + 2 * k), half);
    }
    CIndexKernels_dispatch_table_portable.convert_f32_f16(x + k, count - k, at + 2 * k);
}

AVX2 static void convert_f16_f32_avx2(const void *halves, size_t count, float *x) {
    const uint8_t *at = halves;
    size_t k = 0;
    for (; k + 8 <= count; k += 8)
        _mm256_storeu_ps(x + k, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(at + 2 * k))));
    CIndexKernels_dispatch_table_portable.convert_f16_f32(at + 2 * k, count - k, x + k);
}

const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_avx2 = {
    .score_rows_u8 = score_rows_u8_avx2,
    .dot_u8 = dot_u8_avx2,
    .quantize_f32_u8 = quantize_f32_u8_avx2,
    .project_f32 = project_f32_avx2,
    .dot_f32_f16 = dot_f32_f16_avx2,
    .convert_f32_f16 = convert_f32_f16_avx2,
    .convert_f16_f32 = convert_f16_f32_avx2,
};

#endif
