#ifndef CINDEXKERNELS_ROW_PLACES_H
#define CINDEXKERNELS_ROW_PLACES_H

#include "graph.h"

/* Where the store's map has the rows of slots. Entries are a 48-bit address and the 16-bit mark of the snapshot that it holds for; chunks
   of CINDEXKERNELS_CHUNK_SLOTS entries appear as they are needed. Callable from all threads: entries are single atomic words. */
typedef struct CIndexKernels_row_places CIndexKernels_row_places;

/* NULL when there is no memory. */
CIndexKernels_row_places *_Nullable CIndexKernels_make_row_places(void);
void CIndexKernels_free_row_places(CIndexKernels_row_places *_Nonnull places);

/* The address noted for `slot`, below 2^28, in the snapshot `mark`, or NULL. */
const void *_Nullable CIndexKernels_row_place(
    const CIndexKernels_row_places *_Nonnull places, uint32_t slot, uint16_t mark);

/* Notes an address, unless there is no memory for it or it is not one of 48 bits. */
void CIndexKernels_note_row_place(
    CIndexKernels_row_places *_Nonnull places, uint32_t slot, uint16_t mark, const void *_Nonnull address);

#endif
