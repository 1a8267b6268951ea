#ifndef CKERNELS_ROW_PLACES_H
#define CKERNELS_ROW_PLACES_H

#include "graph.h"

/* Where the store's map has the rows of slots. Entries are a 48-bit address and the 16-bit mark of the snapshot that it holds for; chunks
   of CKERNELS_CHUNK_SLOTS entries appear as they are needed. Callable from all threads: entries are single atomic words. */
typedef struct CKernels_row_places CKernels_row_places;

/* NULL when there is no memory. */
CKernels_row_places *_Nullable CKernels_make_row_places(void);
void CKernels_free_row_places(CKernels_row_places *_Nonnull places);

/* The address noted for `slot`, below 2^28, in the snapshot `mark`, or NULL. */
const void *_Nullable CKernels_row_place(
    const CKernels_row_places *_Nonnull places, uint32_t slot, uint16_t mark);

/* Notes an address, unless there is no memory for it or it is not one of 48 bits. */
void CKernels_note_row_place(
    CKernels_row_places *_Nonnull places, uint32_t slot, uint16_t mark, const void *_Nonnull address);

#endif
