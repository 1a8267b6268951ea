#ifndef CINDEXKERNELS_VECTORS_TABLES_H
#define CINDEXKERNELS_VECTORS_TABLES_H

#include "vectors.h"

/* One table per instruction set, each in the file of its name. */
extern const CIndexKernels_vectors CIndexKernels_vectors_portable;
extern const CIndexKernels_vectors CIndexKernels_vectors_avx2;
extern const CIndexKernels_vectors CIndexKernels_vectors_avx512;

/* Asks for every line of a code row; `rows` of the graph and of scans lie wherever memory has them. */
static inline void prefetch_row(const uint8_t *row, size_t stride) {
    for (size_t at = 0; at < stride; at += 64) __builtin_prefetch(row + at, 0, 3);
}

/* Rows asked for ahead of the one being scored. */
static inline size_t rows_ahead(size_t stride) {
    const size_t rows = CINDEXKERNELS_PREFETCH_LINES * 64 / stride;
    return rows > 0 ? rows : 1;
}

/* Not contracted to a fused multiply-add, so that every instruction set gives the same score. */
static inline float score_of(const CIndexKernels_query *query, int64_t sum) {
#pragma clang fp contract(off)
    return query->scale * (float)sum + query->offset;
}

/* binary16 bits of a float and back, round half to even: what vcvtps2ph and vcvtph2ps do. */
uint16_t half_of_float(float x);
float float_of_half(uint16_t half);

#endif
