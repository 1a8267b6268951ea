#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/* SIMD kernels behind one table, chosen once by instruction set. Families have a header each. */

#endif
