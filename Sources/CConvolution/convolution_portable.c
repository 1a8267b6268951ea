#define LANES 4
#define VARIANT(name) name##_portable
/* What every x86-64 has, and any other processor. Products are left to BLAS, which knows more processors. */
#define TARGET
#include "convolution_body.h"
