#include "graph_lists.h"

#include <string.h>

/* Whether a candidate is at least as similar to one of `kept` as its score says it is to the slot of the list. */
static bool is_nearer_to_any(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, CIndexKernels_candidate candidate,
    const uint32_t *kept, size_t count) {
    const uint8_t *code = code_of(graph, candidate.slot);
    for (size_t i = 0; i < count; i++)
        if (similarity(kernels, graph, code, kept[i]) >= candidate.score) return true;
    return false;
}

size_t CIndexKernels_select(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, uint32_t slot,
    const CIndexKernels_candidate *candidates, size_t count, size_t limit, uint32_t *kept) {
    size_t kept_count = 0;
    for (size_t i = 0; i < count && kept_count < limit; i++) {
        const uint32_t candidate = candidates[i].slot;
        if (candidate == slot || !(flags_of(graph->chunks, candidate) & CINDEXKERNELS_LIVE)) continue;
        if (!is_nearer_to_any(kernels, graph, candidates[i], kept, kept_count)) kept[kept_count++] = candidate;
    }
    return kept_count;
}

static bool contains(const uint32_t *slots, size_t count, uint32_t slot) {
    for (size_t i = 0; i < count; i++)
        if (slots[i] == slot) return true;
    return false;
}

/* Inserts into a short array sorted best first. */
static void insert_sorted(CIndexKernels_candidate *candidates, size_t count, CIndexKernels_candidate candidate) {
    size_t place = count;
    while (place > 0 && candidates[place - 1].score < candidate.score) {
        candidates[place] = candidates[place - 1];
        place--;
    }
    candidates[place] = candidate;
}

/* Adds `added` to the list of `slot`; a full list is chosen anew among its entries and the new one. */
static void add_link(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, uint32_t slot, unsigned level,
    uint32_t added) {
    const size_t capacity = capacity_of(level);
    uint32_t links[CINDEXKERNELS_BASE_LINKS];
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
        CIndexKernels_candidate candidates[CINDEXKERNELS_BASE_LINKS + 1];
        const uint8_t *code = code_of(graph, slot);
        for (size_t i = 0; i <= count; i++) {
            const uint32_t link = i < count ? links[i] : added;
            insert_sorted(candidates, i, (CIndexKernels_candidate){similarity(kernels, graph, code, link), link});
        }
        const size_t kept = CIndexKernels_select(kernels, graph, slot, candidates, count + 1, kept_of(level), links);
        store_list(list, capacity, links, kept);
    }
    unlock_slot(graph->chunks, slot);
    CIndexKernels_set_dirty(graph->chunks, slot);
}

void CIndexKernels_link(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, uint32_t slot, unsigned level,
    const uint32_t *neighbours, size_t count) {
    const size_t capacity = capacity_of(level);
    uint32_t links[CINDEXKERNELS_BASE_LINKS], before[CINDEXKERNELS_BASE_LINKS];
    memcpy(links, neighbours, count * sizeof *links);

    /* Another linker may have visited `slot` on a level above and linked to it already: keep those links too. */
    lock_slot(graph->chunks, slot);
    uint32_t *list = list_of(graph, slot, level);
    const size_t before_count = load_list(list, capacity, before);
    size_t total = count;
    for (size_t i = 0; i < before_count && total < capacity; i++)
        if (!contains(links, total, before[i])) links[total++] = before[i];
    store_list(list, capacity, links, total);
    unlock_slot(graph->chunks, slot);
    CIndexKernels_set_dirty(graph->chunks, slot);

    for (size_t i = 0; i < count; i++) add_link(kernels, graph, neighbours[i], level, slot);
}

size_t CIndexKernels_attach(
    const CIndexKernels_graph *graph, uint32_t slot, const CIndexKernels_candidate *candidates, size_t count,
    size_t limit) {
    const size_t capacity = capacity_of(0);
    uint32_t links[CINDEXKERNELS_BASE_LINKS];
    size_t attached = 0;
    for (size_t i = 0; i < count && attached < limit; i++) {
        const uint32_t candidate = candidates[i].slot;
        if (candidate == slot || !(flags_of(graph->chunks, candidate) & CINDEXKERNELS_LIVE)) continue;
        lock_slot(graph->chunks, candidate);
        uint32_t *list = list_of(graph, candidate, 0);
        const size_t length = load_list(list, capacity, links);
        const bool is_there = contains(links, length, slot), has_capacity = length < capacity;
        if (!is_there && has_capacity) store_link(list + length, slot);
        unlock_slot(graph->chunks, candidate);
        if (!is_there && !has_capacity) continue;
        attached++;
        if (!is_there) CIndexKernels_set_dirty(graph->chunks, candidate);
    }
    return attached;
}

/* Live slots that one repair chooses among, and tombstones that it traverses for them. */
#define REPAIR_LIMIT (CINDEXKERNELS_BASE_LINKS * 8)
#define REPAIR_TRAVERSED (CINDEXKERNELS_BASE_LINKS * 2)

/* Live slots that lie behind the first `traversed_count` tombstones of `traversed`: their neighbours, and while those
   are fewer than `enough` what lies behind neighbours that are tombstones. Leaves out `slot` and what `links` has. */
static size_t live_behind(
    const CIndexKernels_graph *graph, uint32_t slot, unsigned level, const uint32_t *links, size_t link_count,
    uint32_t *traversed, size_t traversed_count, size_t enough, uint32_t *behind) {
    uint32_t second[CINDEXKERNELS_BASE_LINKS];
    const size_t direct = traversed_count;
    size_t behind_count = 0;
    for (size_t i = 0; i < traversed_count && (i < direct || behind_count < enough); i++) {
        const size_t second_count = load_list(list_of(graph, traversed[i], level), capacity_of(level), second);
        for (size_t j = 0; j < second_count; j++) {
            const uint32_t link = second[j];
            if (flags_of(graph->chunks, link) & CINDEXKERNELS_LIVE) {
                if (link == slot || contains(links, link_count, link) || contains(behind, behind_count, link)) continue;
                if (behind_count < REPAIR_LIMIT) behind[behind_count++] = link;
            } else if (traversed_count < REPAIR_TRAVERSED && !contains(traversed, traversed_count, link)) {
                traversed[traversed_count++] = link;
            }
        }
    }
    return behind_count;
}

int CIndexKernels_repair(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, uint32_t slot, unsigned level) {
    const size_t capacity = capacity_of(level), limit = kept_of(level);
    uint32_t links[CINDEXKERNELS_BASE_LINKS], traversed[REPAIR_TRAVERSED], behind[REPAIR_LIMIT];
    CIndexKernels_candidate candidates[REPAIR_LIMIT];
    bool has_tombstone = false;
    size_t count = load_list(list_of(graph, slot, level), capacity, links);
    for (size_t i = 0; i < count && !has_tombstone; i++)
        has_tombstone = !(flags_of(graph->chunks, links[i]) & CINDEXKERNELS_LIVE);
    if (!has_tombstone) return -1;

    lock_slot(graph->chunks, slot);
    uint32_t *list = list_of(graph, slot, level);
    count = load_list(list, capacity, links);
    size_t kept = 0, traversed_count = 0;
    for (size_t i = 0; i < count; i++) {
        if (flags_of(graph->chunks, links[i]) & CINDEXKERNELS_LIVE)
            links[kept++] = links[i];
        else
            traversed[traversed_count++] = links[i];
    }
    const size_t behind_count = live_behind(graph, slot, level, links, kept, traversed, traversed_count, limit, behind);
    const uint8_t *code = code_of(graph, slot);
    for (size_t i = 0; i < behind_count; i++)
        insert_sorted(candidates, i, (CIndexKernels_candidate){similarity(kernels, graph, code, behind[i]), behind[i]});
    /* What is left of the list stays, however many there are: choosing anew among all would thin the graph out. */
    for (size_t i = 0; i < behind_count && kept < limit; i++)
        if (!is_nearer_to_any(kernels, graph, candidates[i], links, kept)) links[kept++] = candidates[i].slot;
    store_list(list, capacity, links, kept);
    unlock_slot(graph->chunks, slot);
    CIndexKernels_set_dirty(graph->chunks, slot);
    return (int)kept;
}
