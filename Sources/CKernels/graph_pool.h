#ifndef CKERNELS_GRAPH_POOL_H
#define CKERNELS_GRAPH_POOL_H

#include "graph_lists.h"
#include <string.h>

/* The sorted pool of a beam and its set of slots met. */

/* The top bit of a pool entry's slot: its list has been walked. */
#define EXPANDED 0x80000000u

/* Forgets which slots were met. */
static inline void new_epoch(CKernels_scratch *scratch) {
    if (++scratch->epoch != 0) return;
    memset(scratch->visited, 0, scratch->visited_capacity * sizeof *scratch->visited);
    scratch->epoch = 1;
}

/* First place whose score is below `score`: equal ones keep their order. */
static inline size_t place_in(const CKernels_candidate *pool, size_t count, float score) {
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (pool[middle].score >= score)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Inserts a candidate into a pool of at most `limit`, where it pushes the last one out when the pool is full. Returns its
   place, or `limit` when it is no better than all of a full pool. */
static inline size_t insert_in_pool(
    CKernels_candidate *pool, size_t *count, size_t limit, CKernels_candidate candidate) {
    if (*count == limit && candidate.score <= pool[limit - 1].score) return limit;
    const size_t place = place_in(pool, *count, candidate.score);
    const size_t moved = (*count < limit ? *count : limit - 1) - place;
    memmove(pool + place + 1, pool + place, moved * sizeof *pool);
    pool[place] = candidate;
    if (*count < limit) (*count)++;
    return place;
}

#endif
