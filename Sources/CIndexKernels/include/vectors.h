#ifndef CINDEXKERNELS_VECTORS_H
#define CINDEXKERNELS_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Vectors as codes, halves and floats.

   A code is one unsigned byte a component: value = scale * (code - zero_point), with zero_point = 0 for non-negative
   data and 128 otherwise. Code rows are padded with `zero_point` to `stride` bytes, a multiple of 64, and are 64-byte
   aligned. */

/* A query against code rows: whole numbers of 15 bits, once as int16 and once split into two int8 planes
   (value = 128 * high + low), each `stride` long, 64-byte aligned and padded with zeros. */
typedef struct {
    const int16_t *_Nonnull value;
    const int8_t *_Nonnull high;
    const int8_t *_Nonnull low;
    size_t stride;
    /* similarity = scale * sum(value * code) + offset */
    float scale;
    float offset;
} CIndexKernels_query;

/* Largest |value| of a query: keeps `high` within int8 and four products of `value` within int32. */
#define CINDEXKERNELS_QUERY_LIMIT 16256

/* Cache lines of code rows that are asked for ahead of the row being scored: enough to cover DRAM latency, few enough
   for the line-fill buffers of a core. */
#define CINDEXKERNELS_PREFETCH_LINES 32

typedef struct {
    /* scores[i] = similarity of the query and rows[i], for i < count. */
    void (*_Nonnull score_rows_u8)(
        const CIndexKernels_query *_Nonnull query, const uint8_t *_Nonnull const *_Nonnull rows, size_t count,
        float *_Nonnull scores);

    /* sum((a - zero_point) * (b - zero_point)) over `stride` components: exact, and within int32 up to 8,192. */
    int32_t (*_Nonnull dot_u8)(const uint8_t *_Nonnull a, const uint8_t *_Nonnull b, size_t stride, int zero_point);

    /* Codes of `count` floats: clamp(round(x / scale) + zero_point, 0, 255), half to even. Returns the squared length
       of what the codes miss, sum((x - decoded)^2). */
    float (*_Nonnull quantize_f32_u8)(
        const float *_Nonnull x, size_t count, float scale, int zero_point, uint8_t *_Nonnull codes);

    /* y[64 * b + j] = sum over i of x[i] * blocks[(b * dimension + i) * 64 + j], b < block_count, j < 64: the products
       of a vector with the rows of a matrix, stored 64 rows together. `blocks` and `y` are 64-byte aligned. */
    void (*_Nonnull project_f32)(
        const float *_Nonnull x, size_t dimension, const float *_Nonnull blocks, size_t block_count, float *_Nonnull y);

    /* sum(x * half) for `count` IEEE 754 binary16 components, unaligned. */
    float (*_Nonnull dot_f32_f16)(const float *_Nonnull x, const void *_Nonnull halves, size_t count);

    /* binary16 of each float, round half to even; `halves` is unaligned. */
    void (*_Nonnull convert_f32_f16)(const float *_Nonnull x, size_t count, void *_Nonnull halves);

    void (*_Nonnull convert_f16_f32)(const void *_Nonnull halves, size_t count, float *_Nonnull x);
} CIndexKernels_dispatch_table;

/* Largest magnitude and sum of squares; false when a component is not finite. */
bool CIndexKernels_measure_f32(
    const float *_Nonnull x, size_t count, float *_Nonnull largest, double *_Nonnull squares);

/* value[k] = x[k] / unit, rounded half to even; |x[k]| / unit stays within int16. */
void CIndexKernels_round_f32_i16(const float *_Nonnull x, size_t count, float unit, int16_t *_Nonnull value);

/* Splits 15-bit values into planes, value = 128 * high + low; returns their sum. */
int64_t CIndexKernels_split_i16(
    const int16_t *_Nonnull value, size_t count, int8_t *_Nonnull high, int8_t *_Nonnull low);

/* Asks for the cache lines of bytes that are needed soon. */
void CIndexKernels_prefetch(const void *_Nonnull bytes, size_t count);

/* The kernels of one instruction set, a `CPlatform_isa`; NULL when the machine has not got it. */
const CIndexKernels_dispatch_table *_Nullable CIndexKernels_dispatch_table_for(uint32_t isa);

#endif
