#ifndef CKERNELS_H
#define CKERNELS_H

/* SIMD kernels behind tables, chosen once by instruction set. A header for each family. */
#include "checksum.h"
#include "graph.h"
#include "isa.h"
#include "row_places.h"
#include "vectors.h"
#include "winograd.h"

#endif
