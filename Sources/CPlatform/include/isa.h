#ifndef CPLATFORM_ISA_H
#define CPLATFORM_ISA_H

#include <stdbool.h>

/* Instruction sets that kernels are written for, weakest first. AVX2 means AVX2 + FMA + F16C; AVX-512 means
   F, BW, DQ, VL and VNNI (Cascade Lake and later). The build's baseline stays x86-64: variants carry function attributes. */
typedef enum __attribute__((enum_extensibility(closed))) {
    CPLATFORM_ISA_PORTABLE = 0,
    CPLATFORM_ISA_AVX2 = 1,
    CPLATFORM_ISA_AVX512 = 2,
} CPlatform_isa;

/* Whether this machine runs `isa`. */
bool CPlatform_has_isa(CPlatform_isa isa);

/* The best instruction set of the machine, or the one that LIKENESS_ISA=portable|avx2|avx512 names when the machine
   has it. The same answer for the life of the process. */
CPlatform_isa CPlatform_chosen_isa(void);

/* "portable", "avx2" or "avx512", as LIKENESS_ISA spells it. */
const char *_Nonnull CPlatform_isa_name(CPlatform_isa isa);

#endif
