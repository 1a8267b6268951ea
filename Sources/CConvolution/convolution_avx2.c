#if defined(__x86_64__)
#define LANES 8
#define VARIANT(name) name##_avx2
#define TARGET __attribute__((target("avx2,fma")))
#define OWN_GEMM
#include "convolution_body.h"
#endif
