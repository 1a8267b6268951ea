#ifndef CINDEXKERNELS_DISPATCH_TABLES_H
#define CINDEXKERNELS_DISPATCH_TABLES_H

#include "vectors.h"

/* One table per instruction set, each in the file of its name. */
extern const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_portable;
extern const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_avx2;
extern const CIndexKernels_dispatch_table CIndexKernels_dispatch_table_avx512;

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

#endif
