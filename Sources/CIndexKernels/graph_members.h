#ifndef CINDEXKERNELS_GRAPH_MEMBERS_H
#define CINDEXKERNELS_GRAPH_MEMBERS_H

#include "graph_pool.h"

static inline bool is_member(const CIndexKernels_members *members, uint32_t slot) {
    const size_t word = slot / 64;
    return word < members->word_count && (members->words[word] >> (slot % 64) & 1);
}

#endif
