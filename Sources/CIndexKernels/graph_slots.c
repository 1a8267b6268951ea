#include "graph_lists.h"

size_t CIndexKernels_list(const CIndexKernels_graph *graph, uint32_t slot, unsigned level, uint32_t *entries) {
    return load_list(list_of(graph, slot, level), capacity_of(level), entries);
}

void CIndexKernels_set_list(
    const CIndexKernels_graph *graph, uint32_t slot, unsigned level, const uint32_t *entries, size_t count) {
    lock_slot(graph->chunks, slot);
    store_list(list_of(graph, slot, level), capacity_of(level), entries, count);
    unlock_slot(graph->chunks, slot);
}

uint8_t CIndexKernels_flags(const CIndexKernels_chunk *chunks, uint32_t slot) { return flags_of(chunks, slot); }

void CIndexKernels_set_flags(const CIndexKernels_chunk *chunks, uint32_t slot, uint8_t flags) {
    __atomic_store_n(chunk_of(chunks, slot)->flags + place_of(slot), flags, __ATOMIC_RELEASE);
}

void CIndexKernels_add_flags(const CIndexKernels_chunk *chunks, uint32_t slot, uint8_t flags) {
    __atomic_fetch_or(chunk_of(chunks, slot)->flags + place_of(slot), flags, __ATOMIC_ACQ_REL);
}

void CIndexKernels_remove_flags(const CIndexKernels_chunk *chunks, uint32_t slot, uint8_t flags) {
    __atomic_fetch_and(chunk_of(chunks, slot)->flags + place_of(slot), (uint8_t)~flags, __ATOMIC_ACQ_REL);
}

size_t CIndexKernels_collect(
    const CIndexKernels_chunk *chunks, uint32_t first, uint32_t end, uint8_t mask, size_t limit, uint32_t *slots,
    uint32_t *next) {
    size_t count = 0;
    uint32_t slot = first;
    for (; slot < end && count < limit; slot++)
        if ((flags_of(chunks, slot) & mask) == mask) slots[count++] = slot;
    *next = slot;
    return count;
}

void CIndexKernels_set_dirty(const CIndexKernels_chunk *chunks, uint32_t slot) {
    __atomic_store_n(chunk_of(chunks, slot)->dirty + place_of(slot), 1, __ATOMIC_RELEASE);
}

bool CIndexKernels_take_dirty(const CIndexKernels_chunk *chunks, uint32_t slot) {
    uint8_t *mark = chunk_of(chunks, slot)->dirty + place_of(slot);
    /* The exchange dirties the line; most slots are clean. */
    if (__atomic_load_n(mark, __ATOMIC_ACQUIRE) == 0) return false;
    return __atomic_exchange_n(mark, 0, __ATOMIC_ACQ_REL) != 0;
}
