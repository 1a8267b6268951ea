#include "dispatch_tables.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")))

/* Sixteen int32 lanes summed as int64: the lanes fit, their sum need not. */
AVX512 static inline int64_t sum_lanes(__m512i lanes) {
    return _mm512_reduce_add_epi64(_mm512_add_epi64(
        _mm512_cvtepi32_epi64(_mm512_castsi512_si256(lanes)), _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(lanes, 1))));
}

/* Two vpdpbusd a line of codes, one for each plane. A lane of `high` sums at most 4,096 / 16 products of 255 * 127, so
   it may be shifted by the planes' 7 bits within int32. */
AVX512 static inline int64_t dot_row(const CIndexKernels_query *query, const uint8_t *row) {
    __m512i high0 = _mm512_setzero_si512(), low0 = high0, high1 = high0, low1 = high0;
    size_t k = 0;
    for (; k + 128 <= query->stride; k += 128) {
        const __m512i codes0 = _mm512_load_si512(row + k), codes1 = _mm512_load_si512(row + k + 64);
        high0 = _mm512_dpbusd_epi32(high0, codes0, _mm512_load_si512(query->high + k));
        low0 = _mm512_dpbusd_epi32(low0, codes0, _mm512_load_si512(query->low + k));
        high1 = _mm512_dpbusd_epi32(high1, codes1, _mm512_load_si512(query->high + k + 64));
        low1 = _mm512_dpbusd_epi32(low1, codes1, _mm512_load_si512(query->low + k + 64));
    }
    if (k < query->stride) {
        const __m512i codes = _mm512_load_si512(row + k);
        high0 = _mm512_dpbusd_epi32(high0, codes, _mm512_load_si512(query->high + k));
        low0 = _mm512_dpbusd_epi32(low0, codes, _mm512_load_si512(query->low + k));
    }
    const __m512i high = _mm512_add_epi32(high0, high1), low = _mm512_add_epi32(low0, low1);
    return sum_lanes(_mm512_add_epi32(_mm512_slli_epi32(high, 7), low));
}

/* Rows of at most 256 bytes, so that the query stays in registers and a sum of all lanes within int32:
   256 * 255 * 16256 < 2^31. */
#define SHORT_LINES 4

/* Lanes of the sum of one short row. */
AVX512 static inline __m512i short_row(
    const __m512i *high, const __m512i *low, const uint8_t *row, size_t lines) {
    __m512i upper = _mm512_setzero_si512(), lower = upper;
    for (size_t line = 0; line < lines; line++) {
        const __m512i codes = _mm512_load_si512(row + 64 * line);
        upper = _mm512_dpbusd_epi32(upper, codes, high[line]);
        lower = _mm512_dpbusd_epi32(lower, codes, low[line]);
    }
    return _mm512_add_epi32(_mm512_slli_epi32(upper, 7), lower);
}

AVX512 static inline __m256i fold(__m512i lanes) {
    return _mm256_add_epi32(_mm512_castsi512_si256(lanes), _mm512_extracti64x4_epi64(lanes, 1));
}

/* Four rows at once: their sums are folded together. `lines` is a constant where this is inlined. */
AVX512 static inline __attribute__((always_inline)) void score_short_rows(
    const CIndexKernels_query *query, const uint8_t *const *rows, size_t count, float *scores, size_t lines) {
    const size_t ahead = rows_ahead(64 * lines);
    __m512i high[SHORT_LINES], low[SHORT_LINES];
    for (size_t line = 0; line < lines; line++) {
        high[line] = _mm512_load_si512(query->high + 64 * line);
        low[line] = _mm512_load_si512(query->low + 64 * line);
    }
    const __m128 scale = _mm_set1_ps(query->scale), offset = _mm_set1_ps(query->offset);
    for (size_t i = 0; i < count; i += 4) {
        const size_t rest = count - i < 4 ? count - i : 4;
        __m256i sums[4];
        for (size_t j = 0; j < 4; j++) {
            const size_t row = j < rest ? i + j : i;
            if (row + ahead < count) prefetch_row(rows[row + ahead], 64 * lines);
            sums[j] = fold(short_row(high, low, rows[row], lines));
        }
        const __m256i pairs = _mm256_hadd_epi32(
            _mm256_hadd_epi32(sums[0], sums[1]), _mm256_hadd_epi32(sums[2], sums[3]));
        const __m128i total = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        /* The same two roundings as `score_of`. */
        const __m128 products = _mm_mul_ps(scale, _mm_cvtepi32_ps(total));
        _mm_mask_storeu_ps(scores + i, (__mmask8)((1u << rest) - 1), _mm_add_ps(products, offset));
    }
}

AVX512 static void score_rows_u8_avx512(
    const CIndexKernels_query *query, const uint8_t *const *rows, size_t count, float *scores) {
    switch (query->stride) {
    case 64: return score_short_rows(query, rows, count, scores, 1);
    case 128: return score_short_rows(query, rows, count, scores, 2);
    case 192: return score_short_rows(query, rows, count, scores, 3);
    case 256: return score_short_rows(query, rows, count, scores, 4);
    default: break;
    }
    const size_t ahead = rows_ahead(query->stride);
    for (size_t i = 0; i < count; i++) {
        if (i + ahead < count) prefetch_row(rows[i + ahead], query->stride);
        scores[i] = score_of(query, dot_row(query, rows[i]));
    }
}

/* vpdpbusd wants one side signed: b - 128, which flipping the top bit gives. With x = b - 128 and ones for a constant,
   zero_point 0:   sum(a * b)                 = sum(a * x) + 128 * sum(a);
   zero_point 128: sum((a - 128) * (b - 128)) = sum(a * x) - 128 * sum(x). */
AVX512 static int32_t dot_u8_avx512(const uint8_t *a, const uint8_t *b, size_t stride, int zero_point) {
    const __m512i top = _mm512_set1_epi8((char)0x80), ones = _mm512_set1_epi8(1);
    __m512i products = _mm512_setzero_si512(), sums = products;
    if (zero_point == 0) {
        for (size_t k = 0; k < stride; k += 64) {
            const __m512i left = _mm512_load_si512(a + k), right = _mm512_xor_si512(_mm512_load_si512(b + k), top);
            products = _mm512_dpbusd_epi32(products, left, right);
            sums = _mm512_dpbusd_epi32(sums, left, ones);
        }
        return _mm512_reduce_add_epi32(_mm512_add_epi32(products, _mm512_slli_epi32(sums, 7)));
    }
    for (size_t k = 0; k < stride; k += 64) {
        const __m512i left = _mm512_load_si512(a + k), right = _mm512_xor_si512(_mm512_load_si512(b + k), top);
        products = _mm512_dpbusd_epi32(products, left, right);
        sums = _mm512_dpbusd_epi32(sums, ones, right);
    }
    return _mm512_reduce_add_epi32(_mm512_sub_epi32(products, _mm512_slli_epi32(sums, 7)));
}

AVX512 static float quantize_f32_u8_avx512(const float *x, size_t count, float scale, int zero_point, uint8_t *codes) {
    const __m512 inverse = _mm512_set1_ps(1.0f / scale), scales = _mm512_set1_ps(scale);
    const __m512 offsets = _mm512_set1_ps((float)zero_point), top = _mm512_set1_ps(255);
    __m512 missed = _mm512_setzero_ps();
    for (size_t k = 0; k < count; k += 16) {
        const __mmask16 mask = count - k >= 16 ? 0xFFFF : (__mmask16)((1u << (count - k)) - 1);
        const __m512 value = _mm512_maskz_loadu_ps(mask, x + k);
        __m512 code = _mm512_roundscale_ps(
            _mm512_mul_ps(value, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        code = _mm512_min_ps(_mm512_max_ps(_mm512_add_ps(code, offsets), _mm512_setzero_ps()), top);
        const __m512 error = _mm512_sub_ps(value, _mm512_mul_ps(scales, _mm512_sub_ps(code, offsets)));
        missed = _mm512_mask3_fmadd_ps(error, error, missed, mask);
        _mm_mask_storeu_epi8(codes + k, mask, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(code)));
    }
    return _mm512_reduce_add_ps(missed);
}

/* A block of 64 columns at a time, in two sums each: eight additions under way hide their latency. */
AVX512 static void project_f32_avx512(
    const float *x, size_t dimension, const float *blocks, size_t block_count, float *y) {
    for (size_t b = 0; b < block_count; b++, y += 64) {
        __m512 even[4], odd[4];
        for (int j = 0; j < 4; j++) even[j] = odd[j] = _mm512_setzero_ps();
        size_t i = 0;
        for (; i + 2 <= dimension; i += 2, blocks += 128) {
            const __m512 first = _mm512_set1_ps(x[i]), second = _mm512_set1_ps(x[i + 1]);
            for (int j = 0; j < 4; j++) {
                even[j] = _mm512_fmadd_ps(first, _mm512_load_ps(blocks + 16 * j), even[j]);
                odd[j] = _mm512_fmadd_ps(second, _mm512_load_ps(blocks + 64 + 16 * j), odd[j]);
            }
        }
        if (i < dimension) {
            for (int j = 0; j < 4; j++)
                even[j] = _mm512_fmadd_ps(_mm512_set1_ps(x[i]), _mm512_load_ps(blocks + 16 * j), even[j]);
            blocks += 64;
        }
        for (int j = 0; j < 4; j++) _mm512_store_ps(y + 16 * j, _mm512_add_ps(even[j], odd[j]));
    }
}

AVX512 static float dot_f32_f16_avx512(const float *x, const void *halves, size_t count) {
    const uint8_t *at = halves;
    __m512 even = _mm512_setzero_ps(), odd = even;
    size_t k = 0;
    for (; k + 32 <= count; k += 32) {
        const __m256i h0 = _mm256_loadu_si256((const __m256i *)(at + 2 * k));
        const __m256i h1 = _mm256_loadu_si256((const __m256i *)(at + 2 * k + 32));
        even = _mm512_fmadd_ps(_mm512_loadu_ps(x + k), _mm512_cvtph_ps(h0), even);
        odd = _mm512_fmadd_ps(_mm512_loadu_ps(x + k + 16), _mm512_cvtph_ps(h1), odd);
    }
    for (; k < count; k += 16) {
        const __mmask16 mask = count - k >= 16 ? 0xFFFF : (__mmask16)((1u << (count - k)) - 1);
        const __m256i half = _mm256_maskz_loadu_epi16(mask, at + 2 * k);
        even = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + k), _mm512_cvtph_ps(half), even);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(even, odd));
}

AVX512 static void convert_f32_f16_avx512(const float *x, size_t count, void *halves) {
    uint8_t *at = halves;
    for (size_t k = 0; k < count; k += 16) {
        const __mmask16 mask = count - k >= 16 ? 0xFFFF : (__mmask16)((1u << (count - k)) - 1);
        const __m512 value = _mm512_maskz_loadu_ps(mask, x + k);
        _mm256_mask_storeu_epi16(
            at + 2 * k, mask, _mm512_cvtps_ph(value, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    }
}

AVX512 static void convert_f16_f32_avx512(const void *halves, size_t count, float *x) {
    const uint8_t *at = halves;
    for (size_t k = 0; k < count; k += 16) {
        const __mmask16 mask = count - k >= 16 ? 0xFFFF : (__mmask16)((1u << (count - k)) - 1);
        _mm512_mask_storeu_ps(x + k, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, at + 2 * k)));
    }
}

const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_avx512 = {
    .score_rows_u8 = score_rows_u8_avx512,
    .dot_u8 = dot_u8_avx512,
    .quantize_f32_u8 = quantize_f32_u8_avx512,
    .project_f32 = project_f32_avx512,
    .dot_f32_f16 = dot_f32_f16_avx512,
    .convert_f32_f16 = convert_f32_f16_avx512,
    .convert_f16_f32 = convert_f16_f32_avx512,
};

#endif
