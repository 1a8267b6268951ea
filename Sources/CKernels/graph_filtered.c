#include "graph_members.h"

/* Members that `slot` leads to and that this beam has not met, marked as met: those of its list, and, while its list and those
   looked at have fewer members than `enough`, those of the lists of its other neighbours. At most CKERNELS_BASE_LINKS - 1 more
   than `enough`. */
static size_t fresh_members(
    const CKernels_graph *graph, CKernels_scratch *scratch, const CKernels_members *members, uint32_t slot,
    size_t enough, uint32_t *fresh) {
    uint32_t through[CKERNELS_BASE_LINKS];
    size_t count = 0, seen = 0, through_count = 0;
    const uint32_t *list = list_of(graph, slot, 0);
    for (size_t i = 0; i < CKERNELS_BASE_LINKS; i++) {
        const uint32_t link = load_link(list + i);
        if (link == CKERNELS_NO_SLOT) break;
        if (is_member(members, link)) {
            seen++;
            if (meet(scratch, link)) fresh[count++] = link;
        } else if (!is_met(scratch, link)) {
            through[through_count++] = link;
        }
    }
    if (seen >= enough) return count;
    for (size_t i = 0; i < through_count; i++) prefetch_list(graph, through[i], 0);
    for (size_t i = 0; i < through_count && seen < enough; i++) {
        const uint32_t *second = list_of(graph, through[i], 0);
        meet(scratch, through[i]);
        for (size_t j = 0; j < CKERNELS_BASE_LINKS; j++) {
            const uint32_t link = load_link(second + j);
            if (link == CKERNELS_NO_SLOT) break;
            if (!is_member(members, link)) continue;
            seen++;
            if (meet(scratch, link)) fresh[count++] = link;
        }
    }
    return count;
}

size_t CKernels_beam_members(
    const CKernels_vectors *kernels, const CKernels_graph *graph, const CKernels_query *query,
    CKernels_scratch *scratch, const CKernels_members *members, uint32_t origin, size_t entries, size_t ef,
    size_t enough) {
    CKernels_candidate *pool = scratch->pool;
    uint32_t fresh[2 * CKERNELS_BASE_LINKS];
    float scores[2 * CKERNELS_BASE_LINKS];
    size_t count = entries < ef ? entries : ef;
    if (enough > CKERNELS_BASE_LINKS) enough = CKERNELS_BASE_LINKS;
    forget_met(scratch, ef);
    for (size_t i = 0; i < entries; i++) meet(scratch, pool[i].slot);

    uint32_t slot = origin;
    for (size_t next = 0;;) {
        const size_t found = fresh_members(graph, scratch, members, slot, enough, fresh);
        CKernels_score_slots(kernels, graph, query, fresh, found, scores);
        scratch->scored += found;
        for (size_t i = 0; i < found; i++) {
            const size_t place = insert_in_pool(pool, &count, ef, (CKernels_candidate){scores[i], fresh[i]});
            if (place < next) next = place;
        }
        while (next < count && pool[next].slot & EXPANDED) next++;
        if (next == count) break;
        slot = pool[next].slot;
        pool[next++].slot |= EXPANDED;
    }
    for (size_t i = 0; i < count; i++) pool[i].slot &= ~EXPANDED;
    return count;
}
