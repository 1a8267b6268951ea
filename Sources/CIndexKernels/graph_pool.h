#ifndef CINDEXKERNELS_GRAPH_POOL_H
#define CINDEXKERNELS_GRAPH_POOL_H

#include "graph_lists.h"
#include <stdbool.h>
#include <string.h>

/* The sorted pool of a beam and its visited set. */

/* The top bit of a pool entry's slot: its list has been expanded. */
#define EXPANDED 0x80000000u

/* Gives the visited set a capacity of `entries`, a power of two, and puts those in it that it has when `keeps`. */
void resize_visited(CIndexKernels_search_context *context, size_t entries, bool keeps);

/* Resets the visited set. A beam of `ef` visits some 15 slots for each that it expands. */
static inline void reset_visited(CIndexKernels_search_context *context, size_t ef) {
    size_t entries = 512;
    while (entries < 48 * ef) entries *= 2;
    if (entries > context->visited_capacity) return resize_visited(context, entries, false);
    memset(context->visited, 0xFF, entries * sizeof *context->visited);
    context->visited_mask = entries - 1;
    context->visited_count = 0;
}

/* Where `slot` is in the set, or the free entry where it belongs: multiplicative hashing, linear probing. */
static inline size_t visited_place(const CIndexKernels_search_context *context, uint32_t slot) {
    size_t place = (slot * 0x9E3779B1u >> 8) & context->visited_mask;
    while (context->visited[place] != slot && context->visited[place] != CINDEXKERNELS_NO_SLOT)
        place = (place + 1) & context->visited_mask;
    return place;
}

static inline bool is_visited(const CIndexKernels_search_context *context, uint32_t slot) {
    return slot >= context->slot_count || context->visited[visited_place(context, slot)] == slot;
}

/* Marks `slot` as visited; false when it was, or is to be passed over. */
static inline bool mark_visited(CIndexKernels_search_context *context, uint32_t slot) {
    if (slot >= context->slot_count) return false;
    const size_t place = visited_place(context, slot);
    if (context->visited[place] == slot) return false;
    context->visited[place] = slot;
    if (2 * ++context->visited_count > context->visited_mask)
        resize_visited(context, 2 * (context->visited_mask + 1), true);
    return true;
}

/* First place whose score is below `score`: equal ones keep their order. */
static inline size_t place_in(const CIndexKernels_candidate *pool, size_t count, float score) {
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

/* Inserts a candidate into a pool of at most `limit`, where it pushes the last one out when the pool is full. Returns
   its place, or `limit` when it is no better than all of a full pool. */
static inline size_t insert_in_pool(
    CIndexKernels_candidate *pool, size_t *count, size_t limit, CIndexKernels_candidate candidate) {
    if (*count == limit && candidate.score <= pool[limit - 1].score) return limit;
    const size_t place = place_in(pool, *count, candidate.score);
    const size_t moved = (*count < limit ? *count : limit - 1) - place;
    memmove(pool + place + 1, pool + place, moved * sizeof *pool);
    pool[place] = candidate;
    if (*count < limit) (*count)++;
    return place;
}

#endif
