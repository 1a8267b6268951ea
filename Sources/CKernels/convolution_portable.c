#define LANES 4
#define VARIANT(name) name##_portable
/* What every x86-64 has, and any other processor. */
#define TARGET
#include "convolution_body.h"
