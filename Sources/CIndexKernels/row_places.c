#include "row_places.h"

#include <stdlib.h>

struct CIndexKernels_row_places {
    uint64_t *chunks[CINDEXKERNELS_CHUNK_LIMIT];
};

CIndexKernels_row_places *CIndexKernels_make_row_places(void) { return calloc(1, sizeof(CIndexKernels_row_places)); }

void CIndexKernels_free_row_places(CIndexKernels_row_places *places) {
    for (size_t i = 0; i < CINDEXKERNELS_CHUNK_LIMIT; i++) free(places->chunks[i]);
    free(places);
}

const void *CIndexKernels_row_place(const CIndexKernels_row_places *places, uint32_t slot, uint16_t mark) {
    const uint64_t *chunk = __atomic_load_n(&places->chunks[slot >> CINDEXKERNELS_CHUNK_BITS], __ATOMIC_ACQUIRE);
    if (chunk == NULL) return NULL;
    const uint64_t entry = __atomic_load_n(chunk + (slot & (CINDEXKERNELS_CHUNK_SLOTS - 1)), __ATOMIC_RELAXED);
    return entry >> 48 == mark ? (const void *)(uintptr_t)(entry & 0xFFFFFFFFFFFF) : NULL;
}

void CIndexKernels_note_row_place(CIndexKernels_row_places *places, uint32_t slot, uint16_t mark, const void *address) {
    uint64_t **place = &places->chunks[slot >> CINDEXKERNELS_CHUNK_BITS];
    uint64_t *chunk = __atomic_load_n(place, __ATOMIC_ACQUIRE);
    if ((uintptr_t)address >> 48 != 0) return;
    if (chunk == NULL) {
        uint64_t *made = calloc(CINDEXKERNELS_CHUNK_SLOTS, sizeof *made);
        if (made == NULL) return;
        if (__atomic_compare_exchange_n(place, &chunk, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            chunk = made;
        else
            free(made);
    }
    const uint64_t entry = (uint64_t)mark << 48 | (uintptr_t)address;
    __atomic_store_n(chunk + (slot & (CINDEXKERNELS_CHUNK_SLOTS - 1)), entry, __ATOMIC_RELAXED);
}
