#include "row_addresses.h"

#include <stdlib.h>

struct CIndexKernels_row_addresses {
    uint64_t *chunks[CINDEXKERNELS_CHUNK_LIMIT];
};

CIndexKernels_row_addresses *CIndexKernels_make_row_addresses(void) {
    return calloc(1, sizeof(CIndexKernels_row_addresses));
}

void CIndexKernels_free_row_addresses(CIndexKernels_row_addresses *addresses) {
    for (size_t i = 0; i < CINDEXKERNELS_CHUNK_LIMIT; i++) free(addresses->chunks[i]);
    free(addresses);
}

const void *CIndexKernels_row_address(const CIndexKernels_row_addresses *addresses, uint32_t slot, uint16_t tag) {
    const uint64_t *chunk = __atomic_load_n(&addresses->chunks[slot >> CINDEXKERNELS_CHUNK_BITS], __ATOMIC_ACQUIRE);
    if (chunk == NULL) return NULL;
    const uint64_t entry = __atomic_load_n(chunk + (slot & (CINDEXKERNELS_CHUNK_SLOTS - 1)), __ATOMIC_RELAXED);
    return entry >> 48 == tag ? (const void *)(uintptr_t)(entry & 0xFFFFFFFFFFFF) : NULL;
}

void CIndexKernels_set_row_address(
    CIndexKernels_row_addresses *addresses, uint32_t slot, uint16_t tag, const void *address) {
    uint64_t **place = &addresses->chunks[slot >> CINDEXKERNELS_CHUNK_BITS];
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
    const uint64_t entry = (uint64_t)tag << 48 | (uintptr_t)address;
    __atomic_store_n(chunk + (slot & (CINDEXKERNELS_CHUNK_SLOTS - 1)), entry, __ATOMIC_RELAXED);
}
