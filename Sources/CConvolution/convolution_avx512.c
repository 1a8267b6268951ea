#if defined(__x86_64__)
#define LANES 16
#define VARIANT(name) name##_avx512
#define TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")))
#define OWN_GEMM
#include "convolution_body.h"
#endif
