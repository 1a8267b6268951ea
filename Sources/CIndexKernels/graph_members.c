#include "graph_members.h"

size_t CIndexKernels_collect_members(
    const CIndexKernels_chunk *chunks, const CIndexKernels_members *members, uint32_t first, uint32_t end, uint8_t mask,
    size_t limit, uint32_t *slots, uint32_t *next) {
    const size_t covered = members->word_count * 64;
    if (end > covered) end = (uint32_t)covered;
    size_t count = 0;
    uint32_t slot = first;
    while (slot < end && count < limit) {
        const uint64_t rest = members->words[slot / 64] >> (slot % 64);
        if (rest == 0) {
            slot = (slot / 64 + 1) * 64;
            continue;
        }
        slot += (uint32_t)__builtin_ctzll(rest);
        if (slot < end && (flags_of(chunks, slot) & mask) == mask) slots[count++] = slot;
        slot++;
    }
    *next = slot < end ? slot : CINDEXKERNELS_NO_SLOT;
    return count;
}

size_t CIndexKernels_sample_members(
    const CIndexKernels_chunk *chunks, const CIndexKernels_members *members, uint32_t end, size_t limit,
    uint32_t *slots) {
    const uint8_t mask = CINDEXKERNELS_LIVE | CINDEXKERNELS_LINKED;
    const uint64_t covered = members->word_count * 64 < end ? members->word_count * 64 : end;
    uint32_t next;
    size_t count = CIndexKernels_collect_members(chunks, members, 0, end, mask, limit, slots, &next);
    if (next == CINDEXKERNELS_NO_SLOT) return count;
    count = 0;
    for (size_t part = 0; part < limit; part++) {
        const uint32_t first = (uint32_t)(covered * part / limit), last = (uint32_t)(covered * (part + 1) / limit);
        count += CIndexKernels_collect_members(chunks, members, first, last, mask, 1, slots + count, &next);
    }
    return count;
}

float CIndexKernels_share_near(
    const CIndexKernels_graph *graph, const CIndexKernels_members *members, uint32_t slot, uint32_t end) {
    uint32_t links[CINDEXKERNELS_BASE_LINKS], second[CINDEXKERNELS_BASE_LINKS];
    size_t total = 0, found = 0;
    const size_t count = load_list(list_of(graph, slot, 0), CINDEXKERNELS_BASE_LINKS, links);
    for (size_t i = 0; i < count; i++)
        if (links[i] < end) prefetch_list(graph, links[i], 0);
    for (size_t i = 0; i < count; i++) {
        if (links[i] >= end) continue;
        const size_t second_count = load_list(list_of(graph, links[i], 0), CINDEXKERNELS_BASE_LINKS, second);
        total += second_count;
        for (size_t j = 0; j < second_count; j++) found += is_member(members, second[j]);
    }
    return total == 0 ? 0 : (float)found / (float)total;
}

/* Drops the candidates from `first` on that score less than `floor`. */
static size_t drop_below(CIndexKernels_candidate *pool, size_t first, size_t count, float floor) {
    size_t kept = first;
    for (size_t i = first; i < count; i++)
        if (pool[i].score >= floor) pool[kept++] = pool[i];
    return kept;
}

size_t CIndexKernels_scan_members(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, const CIndexKernels_query *query,
    CIndexKernels_search_context *context, const CIndexKernels_members *members, uint32_t end, size_t wanted,
    float slack, size_t limit) {
    /* The best `wanted`, sorted, and behind them what may be as good. */
    CIndexKernels_candidate *pool = context->pool;
    uint32_t slots[64];
    float scores[64];
    size_t best = 0, count = 0;
    for (uint32_t next = 0; next < end;) {
        const size_t found =
            CIndexKernels_collect_members(graph->chunks, members, next, end, CINDEXKERNELS_LIVE, 64, slots, &next);
        CIndexKernels_score_slots(kernels, graph, query, slots, found, scores);
        context->scored += found;
        for (size_t i = 0; i < found; i++) {
            CIndexKernels_candidate candidate = {scores[i], slots[i]};
            if (best < wanted) {
                insert_in_pool(pool, &best, wanted, candidate);
                count = best;
                continue;
            }
            const CIndexKernels_candidate last = pool[wanted - 1];
            if (candidate.score + slack < last.score) continue;
            if (candidate.score > last.score) {
                insert_in_pool(pool, &best, wanted, candidate);
                candidate = last;
            }
            pool[count++] = candidate;
            if (count < limit) continue;
            count = drop_below(pool, wanted, count, pool[wanted - 1].score - slack);
            if (2 * count > limit) return limit;
        }
    }
    return best < wanted ? count : drop_below(pool, wanted, count, pool[wanted - 1].score - slack);
}
