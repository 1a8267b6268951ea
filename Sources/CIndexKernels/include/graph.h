#ifndef CINDEXKERNELS_GRAPH_H
#define CINDEXKERNELS_GRAPH_H

#include "vectors.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The hop loop of an HNSW graph (Malkov and Yashunin, arXiv:1603.09320) over chunked memory, and the edits of its
   lists. In C because it needs what Swift has not: prefetches, and atomic loads and stores on plain memory.

   Lists are read without locks. Every entry is one atomic word; the writer of a list holds the lock byte of its slot
   and stores entry by entry. A reader may therefore see a mix of an old and a new list: each entry still names a slot
   whose code was complete before the entry was stored (release, acquire), so a mix costs at most an edge. */

#define CINDEXKERNELS_CHUNK_BITS 16
#define CINDEXKERNELS_CHUNK_SLOTS (1u << CINDEXKERNELS_CHUNK_BITS)
/* Slots are below 2^28: 4,096 chunks. The bits above serve the pools. */
#define CINDEXKERNELS_CHUNK_LIMIT 4096u
#define CINDEXKERNELS_NO_SLOT 0xFFFFFFFFu

/* Entries of a list at level 0 and above (M0 = 2 M, M = 16), and what a pruned list is cut to: the slack spares the
   next few reverse links a pruning. */
#define CINDEXKERNELS_BASE_LINKS 32u
#define CINDEXKERNELS_UPPER_LINKS 16u
#define CINDEXKERNELS_BASE_KEPT 28u
#define CINDEXKERNELS_UPPER_KEPT 14u

/* Bits of a slot's flag byte. */
#define CINDEXKERNELS_LIVE 1u   /* may be returned and may be chosen as a neighbour */
#define CINDEXKERNELS_LINKED 2u /* has lists; searches find it in the graph and not in the pending scan */

/* One chunk's arrays, each of CINDEXKERNELS_CHUNK_SLOTS elements except `upper`. */
typedef struct {
    uint32_t *_Nullable base;     /* CINDEXKERNELS_BASE_LINKS entries a slot, unused ones CINDEXKERNELS_NO_SLOT */
    uint32_t *_Nullable upper;    /* lists of CINDEXKERNELS_UPPER_LINKS entries */
    uint32_t *_Nullable upper_at; /* number of the slot's level-1 list in `upper`; higher levels follow */
    uint8_t *_Nullable flags;
    uint8_t *_Nullable locks;
    uint8_t *_Nullable dirty; /* 1 when a list of the slot changed since a checkpoint took it */
} CIndexKernels_chunk;

typedef struct {
    const CIndexKernels_chunk *_Nonnull chunks;
    uint8_t *_Nullable const *_Nullable codes; /* by chunk, `stride` bytes a slot; NULL where nothing is compared */
    size_t stride;
    int zero_point;
    float unit; /* similarity of two codes = unit * dot_u8 */
} CIndexKernels_graph;

typedef struct {
    float score;
    uint32_t slot;
} CIndexKernels_candidate;

/* What one search needs beside the graph; never shared between threads. The visited set is a hash set and not a mark
   per slot: a few kilobytes that stay in the nearest cache however large the graph is. */
typedef struct {
    uint32_t *_Nullable visited; /* open addressing; CINDEXKERNELS_NO_SLOT where free; owned */
    size_t visited_capacity;     /* entries of `visited`, a power of two */
    size_t visited_mask;         /* entries in use by this beam, less one */
    size_t visited_count;
    size_t slot_count;       /* slots at or above it are passed over */
    CIndexKernels_candidate *_Nonnull pool; /* sorted best first; capacity for every `ef` asked for; not owned */
    uint64_t scored;                   /* codes scored so far, for tuning and tests */
} CIndexKernels_search_context;

/* Frees what the searches allocated. */
void CIndexKernels_free_search_context(CIndexKernels_search_context *_Nonnull context);

/* Whether the last beam visited `slot`; true for those it passed over. */
bool CIndexKernels_has_visited(const CIndexKernels_search_context *_Nonnull context, uint32_t slot);

/* Best-first search of one level (algorithm 2), starting from the `entries` candidates in the pool, whose scores are
   set. Leaves the best `ef` or fewer in the pool, best first, and returns how many. Tombstones, slots that are no
   longer live, are traversed and left in the pool. */
size_t CIndexKernels_beam(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph,
    const CIndexKernels_query *_Nonnull query, CIndexKernels_search_context *_Nonnull context, size_t entries,
    unsigned level, size_t ef);

/* Slots that a filter lets through: bit s % 64 of word s / 64 stands for slot s. */
typedef struct {
    const uint64_t *_Nullable words;
    size_t word_count;
} CIndexKernels_members;

/* Like CIndexKernels_beam at level 0, among members only (ACORN-1, arXiv:2403.04871): a neighbour that is none is
   looked through to those of its neighbours that are, until `enough` members, at most CINDEXKERNELS_BASE_LINKS, come of
   one slot. Starts from the neighbours of `query_point` and from the `entries` members in the pool. */
size_t CIndexKernels_beam_members(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph,
    const CIndexKernels_query *_Nonnull query, CIndexKernels_search_context *_Nonnull context,
    const CIndexKernels_members *_Nonnull members, uint32_t query_point, size_t entries, size_t ef, size_t enough);

/* Share of members among the neighbours' neighbours of `slot` at level 0, [0, 1]; neighbours from `end` on are passed
   over. */
float CIndexKernels_share_near(
    const CIndexKernels_graph *_Nonnull graph, const CIndexKernels_members *_Nonnull members, uint32_t slot,
    uint32_t end);

/* Scores every live member below `end` and leaves in the pool the `wanted` best, best first, and behind them in no
   order those that score at most `slack` less than the last of them. Returns how many; `limit`, at least 2 * `wanted`,
   when they are too many. */
size_t CIndexKernels_scan_members(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph,
    const CIndexKernels_query *_Nonnull query, CIndexKernels_search_context *_Nonnull context,
    const CIndexKernels_members *_Nonnull members, uint32_t end, size_t wanted, float slack, size_t limit);

/* Collects members as CIndexKernels_collect does slots; `*next` is CINDEXKERNELS_NO_SLOT after the last. */
size_t CIndexKernels_collect_members(
    const CIndexKernels_chunk *_Nonnull chunks, const CIndexKernels_members *_Nonnull members, uint32_t first,
    uint32_t end, uint8_t mask, size_t limit, uint32_t *_Nonnull slots, uint32_t *_Nonnull next);

/* Live linked members below `end`: all when they are at most about `limit`, else spread evenly over the numbers, one of
   each of `limit` parts that has any. Returns how many. */
size_t CIndexKernels_sample_members(
    const CIndexKernels_chunk *_Nonnull chunks, const CIndexKernels_members *_Nonnull members, uint32_t end,
    size_t limit, uint32_t *_Nonnull slots);

/* Similarities of the query to `count` slots. */
void CIndexKernels_score_slots(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph,
    const CIndexKernels_query *_Nonnull query, const uint32_t *_Nonnull slots, size_t count, float *_Nonnull scores);

/* Diversity heuristic (algorithm 4, alpha 1): takes the candidates best first and keeps one when it is nearer to `slot`
   than to everything kept; equidistant candidates prune each other. Passes over `slot` itself and what is not live.
   Returns how many of at most `limit` it wrote to `kept`. */
size_t CIndexKernels_select(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph, uint32_t slot,
    const CIndexKernels_candidate *_Nonnull candidates, size_t count, size_t limit, uint32_t *_Nonnull kept);

/* Gives `slot` its list at `level` and adds `slot` to the list of each neighbour, pruning the full ones. */
void CIndexKernels_link(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph, uint32_t slot,
    unsigned level, const uint32_t *_Nonnull neighbours, size_t count);

/* Adds `slot` to the level-0 lists of the first `limit` live candidates with free capacity; no list loses a link by it.
   Returns how many lists name `slot` then. */
size_t CIndexKernels_attach(
    const CIndexKernels_graph *_Nonnull graph, uint32_t slot, const CIndexKernels_candidate *_Nonnull candidates,
    size_t count, size_t limit);

/* Takes tombstones, slots that are not live, out of a list. The others stay, and what lies behind the tombstones joins
   them as the diversity heuristic allows (after FreshDiskANN, arXiv:2105.09613, algorithm 4, which chooses anew among
   all). Returns the length of the list, or -1 when it named live slots only and was left alone. */
int CIndexKernels_repair(
    const CIndexKernels_dispatch_table *_Nonnull kernels, const CIndexKernels_graph *_Nonnull graph, uint32_t slot,
    unsigned level);

/* Marks in `reached` (one byte a slot, zeroed) what level-0 links lead to from `entry`; `queue` has a capacity of
   `slot_count`. Returns how many. */
size_t CIndexKernels_reach(
    const CIndexKernels_graph *_Nonnull graph, uint32_t entry, size_t slot_count, uint8_t *_Nonnull reached,
    uint32_t *_Nonnull queue);

/* Copies the list of a slot; returns its length, at most CINDEXKERNELS_BASE_LINKS. */
size_t CIndexKernels_list(
    const CIndexKernels_graph *_Nonnull graph, uint32_t slot, unsigned level, uint32_t *_Nonnull entries);

/* Overwrites the list of a slot under its lock; does not mark it dirty. */
void CIndexKernels_set_list(
    const CIndexKernels_graph *_Nonnull graph, uint32_t slot, unsigned level, const uint32_t *_Nonnull entries,
    size_t count);

uint8_t CIndexKernels_flags(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot);
void CIndexKernels_set_flags(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot, uint8_t flags);
void CIndexKernels_add_flags(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot, uint8_t flags);
void CIndexKernels_remove_flags(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot, uint8_t flags);

/* Collects, from `first` on, up to `limit` slots below `end` whose flags have every bit of `mask`; `*next` is where to
   go on. */
size_t CIndexKernels_collect(
    const CIndexKernels_chunk *_Nonnull chunks, uint32_t first, uint32_t end, uint8_t mask, size_t limit,
    uint32_t *_Nonnull slots, uint32_t *_Nonnull next);

void CIndexKernels_set_dirty(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot);
/* Clears the mark and returns whether it was set. */
bool CIndexKernels_take_dirty(const CIndexKernels_chunk *_Nonnull chunks, uint32_t slot);

#endif
