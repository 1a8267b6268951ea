#include "graph_pool.h"

/* A pool entry's slot is a member: searches that keep others too mark theirs. */
#define MEMBER 0x40000000u

static inline bool is_member(const CKernels_members *members, uint32_t slot) {
    const size_t word = slot / 64;
    return word < members->word_count && (members->words[word] >> (slot % 64) & 1);
}

size_t CKernels_collect_members(
    const CKernels_chunk *chunks, const CKernels_members *members, uint32_t first, uint32_t end, uint8_t mask,
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
    *next = slot < end ? slot : CKERNELS_NO_SLOT;
    return count;
}

size_t CKernels_sample_members(
    const CKernels_chunk *chunks, const CKernels_members *members, uint32_t end, size_t limit, uint32_t *slots) {
    const uint8_t mask = CKERNELS_LIVE | CKERNELS_LINKED;
    const uint64_t covered = members->word_count * 64 < end ? members->word_count * 64 : end;
    size_t count = 0;
    for (size_t part = 0; part < limit; part++) {
        uint32_t next;
        const uint32_t first = (uint32_t)(covered * part / limit), last = (uint32_t)(covered * (part + 1) / limit);
        count += CKernels_collect_members(chunks, members, first, last, mask, 1, slots + count, &next);
    }
    return count;
}

size_t CKernels_scan_members(
    const CKernels_vectors *kernels, const CKernels_graph *graph, const CKernels_query *query,
    CKernels_scratch *scratch, const CKernels_members *members, uint32_t end, size_t ef) {
    uint32_t slots[64];
    float scores[64];
    size_t count = 0;
    for (uint32_t next = 0; next < end;) {
        const size_t found = CKernels_collect_members(graph->chunks, members, next, end, CKERNELS_LIVE, 64, slots, &next);
        CKernels_score_slots(kernels, graph, query, slots, found, scores);
        scratch->scored += found;
        for (size_t i = 0; i < found; i++)
            insert_in_pool(scratch->pool, &count, ef, (CKernels_candidate){scores[i], slots[i]});
    }
    return count;
}

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
        const bool met = is_met(scratch, link);
        if (!is_member(members, link)) {
            if (!met) through[through_count++] = link;
            continue;
        }
        seen++;
        if (met) continue;
        meet(scratch, link);
        fresh[count++] = link;
    }
    if (seen >= enough) return count;
    for (size_t i = 0; i < through_count; i++) {
        const uint32_t *second = list_of(graph, through[i], 0);
        __builtin_prefetch(second, 0, 3);
        __builtin_prefetch(second + CKERNELS_BASE_LINKS / 2, 0, 3);
    }
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

size_t CKernels_beam_wide(
    const CKernels_vectors *kernels, const CKernels_graph *graph, const CKernels_query *query,
    CKernels_scratch *scratch, const CKernels_members *members, size_t entries, size_t ef, size_t limit) {
    CKernels_candidate *pool = scratch->pool;
    uint32_t fresh[CKERNELS_BASE_LINKS];
    float scores[CKERNELS_BASE_LINKS];
    size_t count = entries, kept = 0;
    forget_met(scratch, ef);
    for (size_t i = 0; i < entries; i++) {
        meet(scratch, pool[i].slot);
        if (is_member(members, pool[i].slot)) {
            pool[i].slot |= MEMBER;
            kept++;
        }
    }
    for (size_t next = 0;;) {
        while (next < count && pool[next].slot & EXPANDED) next++;
        if (next == count) break;
        const uint32_t slot = pool[next].slot & ~MEMBER;
        pool[next++].slot |= EXPANDED;
        size_t found = 0;
        const uint32_t *list = list_of(graph, slot, 0);
        for (size_t i = 0; i < CKERNELS_BASE_LINKS; i++) {
            const uint32_t link = load_link(list + i);
            if (link == CKERNELS_NO_SLOT) break;
            if (meet(scratch, link)) fresh[found++] = link;
        }
        CKernels_score_slots(kernels, graph, query, fresh, found, scores);
        scratch->scored += found;
        for (size_t i = 0; i < found; i++) {
            if (kept >= ef && scores[i] <= pool[count - 1].score) continue;
            const uint32_t mark = is_member(members, fresh[i]) ? MEMBER : 0;
            if (count == limit && scores[i] > pool[limit - 1].score && pool[limit - 1].slot & MEMBER) kept--;
            const size_t place = insert_in_pool(pool, &count, limit, (CKernels_candidate){scores[i], fresh[i] | mark});
            if (place == limit) continue;
            if (mark) kept++;
            if (place < next) next = place;
            while (kept > ef) {
                count--;
                if (pool[count].slot & MEMBER) kept--;
            }
            while (kept == ef && !(pool[count - 1].slot & MEMBER)) count--;
            if (next > count) next = count;
        }
    }
    kept = 0;
    for (size_t i = 0; i < count; i++)
        if (pool[i].slot & MEMBER) pool[kept++] = (CKernels_candidate){pool[i].score, pool[i].slot & ~(MEMBER | EXPANDED)};
    return kept;
}
