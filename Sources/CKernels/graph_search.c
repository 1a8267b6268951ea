#include "graph_lists.h"
#include "vectors_tables.h"

#include <string.h>

/* The top bit of a pool entry's slot: its list has been walked. */
#define EXPANDED 0x80000000u

static void new_epoch(CKernels_scratch *scratch) {
    if (++scratch->epoch != 0) return;
    memset(scratch->visited, 0, scratch->visited_capacity * sizeof *scratch->visited);
    scratch->epoch = 1;
}

/* First place whose score is below `score`: equal ones keep their order. */
static size_t place_in(const CKernels_candidate *pool, size_t count, float score) {
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

/* Slots of a list that this beam has not met, marked as met. */
static size_t fresh_links(
    const CKernels_graph *graph, CKernels_scratch *scratch, uint32_t slot, unsigned level, uint32_t *fresh) {
    const uint32_t *list = list_of(graph, slot, level);
    const size_t capacity = capacity_of(level);
    size_t count = 0;
    for (size_t i = 0; i < capacity; i++) {
        const uint32_t link = load_link(list + i);
        if (link == CKERNELS_NO_SLOT) break;
        if (link >= scratch->visited_count || scratch->visited[link] == scratch->epoch) continue;
        scratch->visited[link] = scratch->epoch;
        fresh[count++] = link;
    }
    return count;
}

void CKernels_score_slots(
    const CKernels_vectors *kernels, const CKernels_graph *graph, const CKernels_query *query, const uint32_t *slots,
    size_t count, float *scores) {
    const uint8_t *rows[64];
    for (size_t start = 0; start < count; start += 64) {
        const size_t block = count - start < 64 ? count - start : 64;
        for (size_t i = 0; i < block; i++) {
            rows[i] = code_of(graph, slots[start + i]);
            if (i < rows_ahead(graph->stride)) prefetch_row(rows[i], graph->stride);
        }
        kernels->score_rows(query, rows, block, scores + start);
    }
}

size_t CKernels_beam(
    const CKernels_vectors *kernels, const CKernels_graph *graph, const CKernels_query *query,
    CKernels_scratch *scratch, size_t entries, unsigned level, size_t ef) {
    CKernels_candidate *pool = scratch->pool;
    size_t count = entries < ef ? entries : ef;
    new_epoch(scratch);
    for (size_t i = 0; i < entries; i++)
        if (pool[i].slot < scratch->visited_count) scratch->visited[pool[i].slot] = scratch->epoch;

    size_t next = 0;
    while (next < count) {
        if (pool[next].slot & EXPANDED) {
            next++;
            continue;
        }
        const uint32_t slot = pool[next].slot;
        pool[next].slot |= EXPANDED;
        next++;

        uint32_t fresh[CKERNELS_BASE_LINKS];
        float scores[CKERNELS_BASE_LINKS];
        const size_t found = fresh_links(graph, scratch, slot, level, fresh);
        CKernels_score_slots(kernels, graph, query, fresh, found, scores);
        scratch->scored += found;
        for (size_t i = 0; i < found; i++) {
            if (count == ef && scores[i] <= pool[count - 1].score) continue;
            const size_t place = place_in(pool, count, scores[i]);
            const size_t moved = (count < ef ? count : ef - 1) - place;
            memmove(pool + place + 1, pool + place, moved * sizeof *pool);
            pool[place] = (CKernels_candidate){scores[i], fresh[i]};
            if (count < ef) count++;
            if (place < next) next = place;
        }
        if (next < count) __builtin_prefetch(list_of(graph, pool[next].slot & ~EXPANDED, level), 0, 3);
    }
    for (size_t i = 0; i < count; i++) pool[i].slot &= ~EXPANDED;
    return count;
}

size_t CKernels_reach(
    const CKernels_graph *graph, uint32_t entry, size_t slot_count, uint8_t *reached, uint32_t *queue) {
    if (entry >= slot_count) return 0;
    size_t head = 0, tail = 0;
    reached[entry] = 1;
    queue[tail++] = entry;
    while (head < tail) {
        uint32_t links[CKERNELS_BASE_LINKS];
        const size_t count = load_list(list_of(graph, queue[head++], 0), CKERNELS_BASE_LINKS, links);
        for (size_t i = 0; i < count; i++) {
            if (links[i] >= slot_count || reached[links[i]]) continue;
            reached[links[i]] = 1;
            queue[tail++] = links[i];
        }
    }
    return tail;
}
