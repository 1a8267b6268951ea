#include "graph_members.h"

/* Members that `slot` leads to and that this beam has not visited, marked as visited: those of its list, and, while its
   list and those looked at have fewer members than `enough`, those of the lists of its other neighbours. At most
   CINDEXKERNELS_BASE_LINKS - 1 more than `enough`. */
static size_t fresh_members(
    const CIndexKernels_graph *graph, CIndexKernels_search_context *context, const CIndexKernels_members *members,
    uint32_t slot, size_t enough, uint32_t *fresh) {
    uint32_t through[CINDEXKERNELS_BASE_LINKS];
    size_t count = 0, seen = 0, through_count = 0;
    const uint32_t *list = list_of(graph, slot, 0);
    for (size_t i = 0; i < CINDEXKERNELS_BASE_LINKS; i++) {
        const uint32_t link = load_link(list + i);
        if (link == CINDEXKERNELS_NO_SLOT) break;
        if (is_member(members, link)) {
            seen++;
            if (mark_visited(context, link)) fresh[count++] = link;
        } else if (!is_visited(context, link)) {
            through[through_count++] = link;
        }
    }
    if (seen >= enough) return count;
    for (size_t i = 0; i < through_count; i++) prefetch_list(graph, through[i], 0);
    for (size_t i = 0; i < through_count && seen < enough; i++) {
        const uint32_t *second = list_of(graph, through[i], 0);
        mark_visited(context, through[i]);
        for (size_t j = 0; j < CINDEXKERNELS_BASE_LINKS; j++) {
            const uint32_t link = load_link(second + j);
            if (link == CINDEXKERNELS_NO_SLOT) break;
            if (!is_member(members, link)) continue;
            seen++;
            if (mark_visited(context, link)) fresh[count++] = link;
        }
    }
    return count;
}

size_t CIndexKernels_beam_members(
    const CIndexKernels_dispatch_table *kernels, const CIndexKernels_graph *graph, const CIndexKernels_query *query,
    CIndexKernels_search_context *context, const CIndexKernels_members *members, uint32_t query_point, size_t entries,
    size_t ef, size_t enough) {
    CIndexKernels_candidate *pool = context->pool;
    uint32_t fresh[2 * CINDEXKERNELS_BASE_LINKS];
    float scores[2 * CINDEXKERNELS_BASE_LINKS];
    size_t count = entries < ef ? entries : ef;
    if (enough > CINDEXKERNELS_BASE_LINKS) enough = CINDEXKERNELS_BASE_LINKS;
    reset_visited(context, ef);
    for (size_t i = 0; i < entries; i++) mark_visited(context, pool[i].slot);

    uint32_t slot = query_point;
    for (size_t next = 0;;) {
        const size_t found = fresh_members(graph, context, members, slot, enough, fresh);
        CIndexKernels_score_slots(kernels, graph, query, fresh, found, scores);
        context->scored += found;
        for (size_t i = 0; i < found; i++) {
            const size_t place = insert_in_pool(pool, &count, ef, (CIndexKernels_candidate){scores[i], fresh[i]});
            if (place < next) next = place;
        }
        while (next < count && pool[next].slot & EXPANDED) next++;
        if (next == count) break;
        slot = pool[next].slot;
        pool[next++].slot |= EXPANDED;
    }
    for (size_t i = 0; i < count; i++) pool[i].slot &= ~EXPANDED;
    return count;
}
