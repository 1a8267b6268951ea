#include "graph_lists.h"

#include <string.h>

size_t CKernels_select(
    const CKernels_vectors *kernels, const CKernels_graph *graph, uint32_t slot, const CKernels_candidate *candidates,
    size_t count, size_t limit, uint32_t *kept) {
    size_t kept_count = 0;
    for (size_t i = 0; i < count && kept_count < limit; i++) {
        const uint32_t candidate = candidates[i].slot;
        if (candidate == slot || !(flags_of(graph->chunks, candidate) & CKERNELS_LIVE)) continue;
        const uint8_t *code = code_of(graph, candidate);
        bool is_nearer_to_kept = false;
        for (size_t j = 0; j < kept_count && !is_nearer_to_kept; j++)
            is_nearer_to_kept = similarity(kernels, graph, code, kept[j]) >= candidates[i].score;
        if (!is_nearer_to_kept) kept[kept_count++] = candidate;
    }
    return kept_count;
}

static bool contains(const uint32_t *slots, size_t count, uint32_t slot) {
    for (size_t i = 0; i < count; i++)
        if (slots[i] == slot) return true;
    return false;
}

/* Inserts into a short array sorted best first. */
static void insert_sorted(CKernels_candidate *candidates, size_t count, CKernels_candidate candidate) {
    size_t place = count;
    while (place > 0 && candidates[place - 1].score < candidate.score) {
        candidates[place] = candidates[place - 1];
        place--;
    }
    candidates[place] = candidate;
}

/* Adds `added` to the list of `slot`; a full list is chosen anew among its entries and the new one. */
static void add_link(
    const CKernels_vectors *kernels, const CKernels_graph *graph, uint32_t slot, unsigned level, uint32_t added,
    bool is_forced) {
    const size_t capacity = capacity_of(level);
    uint32_t links[CKERNELS_BASE_LINKS];
    lock_slot(graph->chunks, slot);
    uint32_t *list = list_of(graph, slot, level);
    size_t count = load_list(list, capacity, links);
    if (contains(links, count, added)) {
        unlock_slot(graph->chunks, slot);
        return;
    }
    if (count < capacity) {
        store_link(list + count, added);
    } else {
        CKernels_candidate candidates[CKERNELS_BASE_LINKS + 1];
        const uint8_t *code = code_of(graph, slot);
        for (size_t i = 0; i <= count; i++) {
            const uint32_t link = i < count ? links[i] : added;
            insert_sorted(candidates, i, (CKernels_candidate){similarity(kernels, graph, code, link), link});
        }
        size_t kept = CKernels_select(kernels, graph, slot, candidates, count + 1, kept_of(level), links);
        if (is_forced && !contains(links, kept, added)) links[kept++] = added;
        store_list(list, capacity, links, kept);
    }
    unlock_slot(graph->chunks, slot);
    CKernels_set_dirty(graph->chunks, slot);
}

void CKernels_link(
    const CKernels_vectors *kernels, const CKernels_graph *graph, uint32_t slot, unsigned level,
    const uint32_t *neighbours, size_t count, bool is_forced) {
    const size_t capacity = capacity_of(level);
    uint32_t links[CKERNELS_BASE_LINKS], before[CKERNELS_BASE_LINKS];
    memcpy(links, neighbours, count * sizeof *links);

    /* Another linker may have met `slot` on a level above and linked to it already: keep those links too. */
    lock_slot(graph->chunks, slot);
    uint32_t *list = list_of(graph, slot, level);
    const size_t before_count = load_list(list, capacity, before);
    size_t total = count;
    for (size_t i = 0; i < before_count && total < capacity; i++)
        if (!contains(links, total, before[i])) links[total++] = before[i];
    store_list(list, capacity, links, total);
    unlock_slot(graph->chunks, slot);
    CKernels_set_dirty(graph->chunks, slot);

    for (size_t i = 0; i < count; i++) add_link(kernels, graph, neighbours[i], level, slot, is_forced && i == 0);
}

/* Candidates of one repair: the list's live entries and the live entries of its dead ones. */
#define REPAIR_LIMIT (CKERNELS_BASE_LINKS * 8)

bool CKernels_repair(const CKernels_vectors *kernels, const CKernels_graph *graph, uint32_t slot, unsigned level) {
    const size_t capacity = capacity_of(level);
    uint32_t links[CKERNELS_BASE_LINKS], second[CKERNELS_BASE_LINKS], met[REPAIR_LIMIT];
    CKernels_candidate candidates[REPAIR_LIMIT];
    bool has_dead = false;
    size_t count = load_list(list_of(graph, slot, level), capacity, links);
    for (size_t i = 0; i < count && !has_dead; i++) has_dead = !(flags_of(graph->chunks, links[i]) & CKERNELS_LIVE);
    if (!has_dead) return false;

    lock_slot(graph->chunks, slot);
    uint32_t *list = list_of(graph, slot, level);
    count = load_list(list, capacity, links);
    size_t met_count = 0;
    for (size_t i = 0; i < count; i++)
        if (flags_of(graph->chunks, links[i]) & CKERNELS_LIVE) met[met_count++] = links[i];
    for (size_t i = 0; i < count; i++) {
        if (flags_of(graph->chunks, links[i]) & CKERNELS_LIVE) continue;
        const size_t second_count = load_list(list_of(graph, links[i], level), capacity, second);
        for (size_t j = 0; j < second_count && met_count < REPAIR_LIMIT; j++) {
            const uint32_t link = second[j];
            if (link == slot || contains(met, met_count, link)) continue;
            if (flags_of(graph->chunks, link) & CKERNELS_LIVE) met[met_count++] = link;
        }
    }
    const uint8_t *code = code_of(graph, slot);
    for (size_t i = 0; i < met_count; i++)
        insert_sorted(candidates, i, (CKernels_candidate){similarity(kernels, graph, code, met[i]), met[i]});
    const size_t kept = CKernels_select(kernels, graph, slot, candidates, met_count, kept_of(level), links);
    store_list(list, capacity, links, kept);
    unlock_slot(graph->chunks, slot);
    CKernels_set_dirty(graph->chunks, slot);
    return true;
}
