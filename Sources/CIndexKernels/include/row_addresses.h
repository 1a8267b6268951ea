#ifndef CINDEXKERNELS_ROW_ADDRESSES_H
#define CINDEXKERNELS_ROW_ADDRESSES_H

#include "graph.h"

/* A cache of row addresses: where the store's map has the rows of slots. Entries are a 48-bit address and the 16-bit
   tag of the snapshot that it is valid for; chunks of CINDEXKERNELS_CHUNK_SLOTS entries appear as they are needed.
   Callable from all threads: entries are single atomic words. */
typedef struct CIndexKernels_row_addresses CIndexKernels_row_addresses;

/* NULL when there is no memory. */
CIndexKernels_row_addresses *_Nullable CIndexKernels_make_row_addresses(void);
void CIndexKernels_free_row_addresses(CIndexKernels_row_addresses *_Nonnull addresses);

/* The cached address of `slot`, below 2^28, in the snapshot `tag`, or NULL. */
const void *_Nullable CIndexKernels_row_address(
    const CIndexKernels_row_addresses *_Nonnull addresses, uint32_t slot, uint16_t tag);

/* Caches an address, unless there is no memory for it or it is not one of 48 bits. */
void CIndexKernels_set_row_address(
    CIndexKernels_row_addresses *_Nonnull addresses, uint32_t slot, uint16_t tag, const void *_Nonnull address);

#endif
