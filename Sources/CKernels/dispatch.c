#include "ckernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool CKernels_has(CKernels_isa isa) {
    switch (isa) {
    case CKERNELS_ISA_PORTABLE:
        return true;
#if defined(__x86_64__)
    case CKERNELS_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CKERNELS_ISA_AVX512:
        return CKernels_has(CKERNELS_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#endif
    default:
        return false;
    }
}

const char *CKernels_name(CKernels_isa isa) {
    switch (isa) {
    case CKERNELS_ISA_AVX512:
        return "avx512";
    case CKERNELS_ISA_AVX2:
        return "avx2";
    default:
        return "portable";
    }
}

static CKernels_isa chosen = CKERNELS_ISA_PORTABLE;

static void choose(void) {
    static const CKernels_isa best_first[] = {CKERNELS_ISA_AVX512, CKERNELS_ISA_AVX2, CKERNELS_ISA_PORTABLE};
    const char *wanted = getenv("LIKENESS_ISA");
    for (int pass = wanted ? 0 : 1; pass < 2; pass++) {
        for (int i = 0; i < 3; i++) {
            if (pass == 0 && strcmp(wanted, CKernels_name(best_first[i])) != 0) continue;
            if (!CKernels_has(best_first[i])) continue;
            chosen = best_first[i];
            return;
        }
    }
}

CKernels_isa CKernels_chosen(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
