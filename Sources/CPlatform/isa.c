#include "isa.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

bool CPlatform_has_isa(CPlatform_isa isa) {
    switch (isa) {
    case CPLATFORM_ISA_PORTABLE:
        return true;
#if defined(__x86_64__)
    case CPLATFORM_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    case CPLATFORM_ISA_AVX512:
        return CPlatform_has_isa(CPLATFORM_ISA_AVX2) && __builtin_cpu_supports("avx512f") &&
               __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
#endif
    default:
        return false;
    }
}

const char *CPlatform_isa_name(CPlatform_isa isa) {
    switch (isa) {
    case CPLATFORM_ISA_AVX512:
        return "avx512";
    case CPLATFORM_ISA_AVX2:
        return "avx2";
    default:
        return "portable";
    }
}

static CPlatform_isa chosen = CPLATFORM_ISA_PORTABLE;

static void choose(void) {
    static const CPlatform_isa best_first[] = {CPLATFORM_ISA_AVX512, CPLATFORM_ISA_AVX2, CPLATFORM_ISA_PORTABLE};
    const char *wanted = getenv("LIKENESS_ISA");
    for (int pass = wanted ? 0 : 1; pass < 2; pass++) {
        for (int i = 0; i < 3; i++) {
            if (pass == 0 && strcmp(wanted, CPlatform_isa_name(best_first[i])) != 0) continue;
            if (!CPlatform_has_isa(best_first[i])) continue;
            chosen = best_first[i];
            return;
        }
    }
}

CPlatform_isa CPlatform_chosen_isa(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}
