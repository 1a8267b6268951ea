#ifndef CINDEXKERNELS_H
#define CINDEXKERNELS_H

/* What a search and an insertion of the vector index run in C: the graph, and the kernels that compare vectors, one
   dispatch table for each instruction set. */
#include "graph.h"
#include "hash.h"
#include "row_addresses.h"
#include "vectors.h"

#endif
