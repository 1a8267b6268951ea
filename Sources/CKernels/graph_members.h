#ifndef CKERNELS_GRAPH_MEMBERS_H
#define CKERNELS_GRAPH_MEMBERS_H

#include "graph_pool.h"

static inline bool is_member(const CKernels_members *members, uint32_t slot) {
    const size_t word = slot / 64;
    return word < members->word_count && (members->words[word] >> (slot % 64) & 1);
}

#endif
