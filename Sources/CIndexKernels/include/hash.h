#ifndef CINDEXKERNELS_HASH_H
#define CINDEXKERNELS_HASH_H

#include <stddef.h>
#include <stdint.h>

/* XXH3, 64 bits, seed 0. */
uint64_t CIndexKernels_xxh3_64(const void *_Nonnull bytes, size_t count);

#endif
