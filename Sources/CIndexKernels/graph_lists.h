#ifndef CINDEXKERNELS_GRAPH_LISTS_H
#define CINDEXKERNELS_GRAPH_LISTS_H

#include "graph.h"
#include <sched.h>

/* Where things of a slot lie, and the atomic accesses that readers and writers share. */

static inline const CIndexKernels_chunk *chunk_of(const CIndexKernels_chunk *chunks, uint32_t slot) {
    return &chunks[slot >> CINDEXKERNELS_CHUNK_BITS];
}

static inline uint32_t place_of(uint32_t slot) { return slot & (CINDEXKERNELS_CHUNK_SLOTS - 1); }

static inline uint32_t *list_of(const CIndexKernels_graph *graph, uint32_t slot, unsigned level) {
    const CIndexKernels_chunk *chunk = chunk_of(graph->chunks, slot);
    if (level == 0) return chunk->base + (size_t)place_of(slot) * CINDEXKERNELS_BASE_LINKS;
    return chunk->upper + ((size_t)chunk->upper_at[place_of(slot)] + level - 1) * CINDEXKERNELS_UPPER_LINKS;
}

static inline void prefetch_list(const CIndexKernels_graph *graph, uint32_t slot, unsigned level) {
    const uint32_t *list = list_of(graph, slot, level);
    __builtin_prefetch(list, 0, 3);
    if (level == 0) __builtin_prefetch(list + CINDEXKERNELS_BASE_LINKS / 2, 0, 3);
}

static inline size_t capacity_of(unsigned level) {
    return level == 0 ? CINDEXKERNELS_BASE_LINKS : CINDEXKERNELS_UPPER_LINKS;
}

static inline size_t kept_of(unsigned level) { return level == 0 ? CINDEXKERNELS_BASE_KEPT : CINDEXKERNELS_UPPER_KEPT; }

static inline const uint8_t *code_of(const CIndexKernels_graph *graph, uint32_t slot) {
    return graph->codes[slot >> CINDEXKERNELS_CHUNK_BITS] + (size_t)place_of(slot) * graph->stride;
}

static inline uint8_t flags_of(const CIndexKernels_chunk *chunks, uint32_t slot) {
    return __atomic_load_n(chunk_of(chunks, slot)->flags + place_of(slot), __ATOMIC_ACQUIRE);
}

/* Pairs with `store_link`: what was written before the link was stored is seen after it was loaded. */
static inline uint32_t load_link(const uint32_t *entry) { return __atomic_load_n(entry, __ATOMIC_ACQUIRE); }
static inline void store_link(uint32_t *entry, uint32_t slot) { __atomic_store_n(entry, slot, __ATOMIC_RELEASE); }

static inline size_t load_list(const uint32_t *list, size_t capacity, uint32_t *entries) {
    size_t count = 0;
    for (; count < capacity; count++) {
        entries[count] = load_link(list + count);
        if (entries[count] == CINDEXKERNELS_NO_SLOT) break;
    }
    return count;
}

static inline void store_list(uint32_t *list, size_t capacity, const uint32_t *entries, size_t count) {
    for (size_t i = 0; i < capacity; i++) store_link(list + i, i < count ? entries[i] : CINDEXKERNELS_NO_SLOT);
}

/* Held for one edit of one list; no thread holds two. */
static inline void lock_slot(const CIndexKernels_chunk *chunks, uint32_t slot) {
    uint8_t *lock = chunk_of(chunks, slot)->locks + place_of(slot);
    for (unsigned tries = 0; __atomic_exchange_n(lock, 1, __ATOMIC_ACQUIRE) != 0; tries++)
        if (tries >= 64) sched_yield();
}

static inline void unlock_slot(const CIndexKernels_chunk *chunks, uint32_t slot) {
    __atomic_store_n(chunk_of(chunks, slot)->locks + place_of(slot), 0, __ATOMIC_RELEASE);
}

static inline float similarity(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, const uint8_t *a, uint32_t b) {
    return graph->unit * (float)kernels->dot_u8(a, code_of(graph, b), graph->stride, graph->zero_point);
}

#endif
