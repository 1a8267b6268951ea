#include "graph_pool.h"
#include "dispatch_tables.h"

#include <stdlib.h>

/* Places from the best one not expanded yet whose lists are asked for. */
#define PREFETCHED_LISTS 4

void resize_visited(CIndexKernels_search_context *context, size_t entries, bool keeps) {
    uint32_t *old = context->visited;
    const size_t old_entries = keeps ? context->visited_mask + 1 : 0;
    uint32_t *visited = aligned_alloc(64, entries * sizeof *visited);
    if (visited == NULL) abort();
    memset(visited, 0xFF, entries * sizeof *visited);
    context->visited = visited;
    context->visited_capacity = entries;
    context->visited_mask = entries - 1;
    for (size_t i = 0; i < old_entries; i++)
        if (old[i] != CINDEXKERNELS_NO_SLOT) visited[visited_place(context, old[i])] = old[i];
    if (!keeps) context->visited_count = 0;
    free(old);
}

void CIndexKernels_free_search_context(CIndexKernels_search_context *context) {
    free(context->visited);
    context->visited = NULL;
}

bool CIndexKernels_has_visited(const CIndexKernels_search_context *context, uint32_t slot) {
    return context->visited != NULL && is_visited(context, slot);
}

/* Slots of a list that this beam has not visited, marked as visited. */
static size_t fresh_links(
    const CIndexKernels_graph *graph, CIndexKernels_search_context *context, uint32_t slot, unsigned level,
    uint32_t *fresh) {
    const uint32_t *list = list_of(graph, slot, level);
    const size_t capacity = capacity_of(level);
    size_t count = 0;
    for (size_t i = 0; i < capacity; i++) {
        const uint32_t link = load_link(list + i);
        if (link == CINDEXKERNELS_NO_SLOT) break;
        if (mark_visited(context, link)) fresh[count++] = link;
    }
    return count;
}

void CIndexKernels_score_slots(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, const CIndexKernels_query *query,
    const uint32_t *slots, size_t count, float *scores) {
    const uint8_t *rows[64];
    for (size_t start = 0; start < count; start += 64) {
        const size_t block = count - start < 64 ? count - start : 64;
        for (size_t i = 0; i < block; i++) {
            rows[i] = code_of(graph, slots[start + i]);
            if (i < rows_ahead(graph->stride)) prefetch_row(rows[i], graph->stride);
        }
        kernels->score_rows_u8(query, rows, block, scores + start);
    }
}

size_t CIndexKernels_beam(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, const CIndexKernels_query *query,
    CIndexKernels_search_context *context, size_t entries, unsigned level, size_t ef) {
    CIndexKernels_candidate *pool = context->pool;
    size_t count = entries < ef ? entries : ef;
    reset_visited(context, ef);
    for (size_t i = 0; i < entries; i++) mark_visited(context, pool[i].slot);

    size_t next = 0;
    while (next < count) {
        if (pool[next].slot & EXPANDED) {
            next++;
            continue;
        }
        const uint32_t slot = pool[next].slot;
        pool[next].slot |= EXPANDED;
        next++;

        uint32_t fresh[CINDEXKERNELS_BASE_LINKS];
        float scores[CINDEXKERNELS_BASE_LINKS];
        const size_t found = fresh_links(graph, context, slot, level, fresh);
        CIndexKernels_score_slots(kernels, graph, query, fresh, found, scores);
        context->scored += found;
        for (size_t i = 0; i < found; i++) {
            const size_t place = insert_in_pool(pool, &count, ef, (CIndexKernels_candidate){scores[i], fresh[i]});
            if (place < next) next = place;
            /* One of the next to be expanded, as things stand: its list comes while the others are looked at. */
            if (place < next + PREFETCHED_LISTS) prefetch_list(graph, fresh[i], level);
        }
    }
    for (size_t i = 0; i < count; i++) pool[i].slot &= ~EXPANDED;
    return count;
}

size_t CIndexKernels_reach(
    const CIndexKernels_graph *graph, uint32_t entry, size_t slot_count, uint8_t *reached, uint32_t *queue) {
    if (entry >= slot_count) return 0;
    size_t head = 0, tail = 0;
    reached[entry] = 1;
    queue[tail++] = entry;
    while (head < tail) {
        uint32_t links[CINDEXKERNELS_BASE_LINKS];
        const size_t count = load_list(list_of(graph, queue[head++], 0), CINDEXKERNELS_BASE_LINKS, links);
        for (size_t i = 0; i < count; i++) {
            if (links[i] >= slot_count || reached[links[i]]) continue;
            reached[links[i]] = 1;
            queue[tail++] = links[i];
        }
    }
    return tail;
}
