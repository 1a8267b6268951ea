#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#if !SCALAR
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_cooperative_matrix : require
#endif

// 3x3 convolution, stride 1, padding 1, as a matrix product on matrix units with bias, ReLU and optional 2x2 max-pooling:
// fp16 products, fp32 sums.
//
//   target[pixel, out] = relu(bias[out] + factor[out] sum over k of source[pixel moved by tap(k), channel(k)] weight[k, out])
//
// Stages of TILE_K terms go through two buffers of shared memory: while the matrix units work on one, the next one's loads are on
// their way in registers. The finished tile leaves through shared memory in strips of 16 rows a row of subgroups, so that a warp
// writes whole lines.
//
// Macros        TILE_M, TILE_N, TILE_K: pixels, output channels, terms; multiples of 16, TILE_K one of 16, 32, 64
//               GROUPS_M, GROUPS_N: subgroups along both; each makes (TILE_M / GROUPS_M) x (TILE_N / GROUPS_N), multiples of 16
//               FIRST 1: the first layer, straight from uint8 (TILE_K 32)
//               SCALAR 1: matrices become arrays of fp32 and plain loops, for devices without matrix units: the same indices
// Divisibility  threads must divide TILE_M TILE_K / 8 and TILE_K TILE_N / 8 and be multiples of TILE_K / 8
// 0 source      [image, SIDE, SIDE, 8 IN_OCTETS] fp16; with FIRST [image, SIDE, SIDE, 3] uint8 RGB, four bytes a word
// 1 parameters  bias, factors, then [rows, 8 PITCH_OCTETS] fp16: row (3 ky + kx) 8 IN_OCTETS + channel, with FIRST (3 ky + kx) 3 +
//               plane; zeros up to rows, a multiple of TILE_K; the pitch is a multiple of TILE_N
// 2 target      [image, SIDE or SIDE / 2, same, 8 OUT_OCTETS] fp16
// Threads       GROUPS_M GROUPS_N subgroups, each full and of the size that constant 0 implies
// Workgroups    (ceil(images CELLS^2 / (TILE_M / 4)), ceil(8 OUT_OCTETS / TILE_N), 1); counted along x first, workgroup g makes
//               the TILE_M pixels from (g / groups along y) TILE_M on, and the TILE_N channels from (g % groups along y) TILE_N on
// Shared bytes  16 max(2 (TILE_M (TILE_K / 8 + 1) + TILE_K (TILE_N / 8 + 1)), 16 GROUPS_M (TILE_N / 4 + 1))
#define HALF 1
#include "chain.glsl"

layout(local_size_x_id = 0) in;

layout(constant_id = 1) const uint SIDE = 16;
layout(constant_id = 2) const uint OUT_OCTETS = 2;
// Cells on a side: SIDE / 2, rounded up without pooling, down with pooling.
layout(constant_id = 3) const uint CELLS = 8;
// 1: the target holds each cell's maximum.
layout(constant_id = 4) const uint POOL = 0;
layout(constant_id = 5) const uint IN_OCTETS = 2;
layout(constant_id = 6) const uint PITCH_OCTETS = 8;
// Of the first layer, 1: plane 0 is blue.
layout(constant_id = 7) const uint BGR = 0;

#if FIRST
layout(set = 0, binding = 0) readonly buffer Source { uint source[]; };
#else
layout(set = 0, binding = 0) readonly buffer Source { uvec4 source[]; };
#endif
layout(set = 0, binding = 1) readonly buffer Factors { vec4 factors[]; };
layout(set = 0, binding = 1) readonly buffer Weights { uvec4 weights[]; };
layout(set = 0, binding = 2) writeonly buffer Target { uvec4 target[]; };

const uint THREADS = gl_WorkGroupSize.x;

#include "cooperative.glsl"

// In octets.
const uint B_PITCH = TILE_N / 8 + 1;
const uint B_LOADS = TILE_K * (TILE_N / 8) / THREADS;
const uint B_AT = TILE_M * A_PITCH;
const uint STAGE = B_AT + TILE_K * B_PITCH;
// In quads of fp32.
const uint STRIP_ROWS = 16 * GROUPS_M;
const uint STRIP_PITCH = TILE_N / 4 + 1;
const uint STRIP = STRIP_ROWS * STRIP_PITCH;
// Matrices of a subgroup.
const uint ROWS = TILE_M / GROUPS_M / 16;
const uint COLUMNS = TILE_N / GROUPS_N / 16;

// Two stages, and in the end a strip.
shared uvec4 memory[2 * STAGE > STRIP ? 2 * STAGE : STRIP];

#include "fragments.glsl"
#include "strip.glsl"

void main() {
    const uint self = gl_LocalInvocationIndex;
    const uint cellCount = batch.imageCount * CELLS * CELLS;
    // Neighbours in time share their pixels and not their weights: a layer's weights stay in any cache, its maps do not.
    const uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint firstCell = group / gl_NumWorkGroups.y * (TILE_M / 4);
    const uint firstOctet = group % gl_NumWorkGroups.y * (TILE_N / 8);

    Gather gather;
    beginGather(gather, firstCell, cellCount);
    // Bias and factors take as much as four rows of weights.
    const uint firstWeight = (4u + self / (TILE_N / 8)) * PITCH_OCTETS + firstOctet + self % (TILE_N / 8);
    const uint weightStride = THREADS / (TILE_N / 8) * PITCH_OCTETS;
    const uint weightSlot = B_AT + self / (TILE_N / 8) * B_PITCH + self % (TILE_N / 8);
    const uint gatherSlot = gather.row * A_PITCH + gather.octet;

    const uint groupM = SUBGROUP / GROUPS_N;
    const uint groupN = SUBGROUP % GROUPS_N;
    SUM sums[ROWS][COLUMNS];
    UNROLL for (uint m = 0; m < ROWS; ++m)
        UNROLL for (uint n = 0; n < COLUMNS; ++n) clear(sums[m][n]);

    uvec4 nextPixels[A_LOADS];
    uvec4 nextWeights[B_LOADS];
    gatherOctets(gather, 0, nextPixels);
    UNROLL for (uint i = 0; i < B_LOADS; ++i) nextWeights[i] = weights[firstWeight + i * weightStride];
    for (uint step = 0; step < STEPS; ++step) {
        // The buffer that the step before last read: every thread has passed the barrier since.
        const uint stage = (step & 1u) * STAGE;
        UNROLL for (uint i = 0; i < A_LOADS; ++i)
            memory[stage + gatherSlot + i * (THREADS / K_OCTETS) * A_PITCH] = nextPixels[i];
        UNROLL for (uint i = 0; i < B_LOADS; ++i)
            memory[stage + weightSlot + i * (THREADS / (TILE_N / 8)) * B_PITCH] = nextWeights[i];
        barrier();
        if (step + 1u < STEPS) {
            gatherOctets(gather, step + 1u, nextPixels);
            UNROLL for (uint i = 0; i < B_LOADS; ++i)
                nextWeights[i] = weights[firstWeight + i * weightStride + (step + 1u) * TILE_K * PITCH_OCTETS];
        }
        UNROLL for (uint k = 0; k < TILE_K / 16; ++k) {
            LEFT left[ROWS];
            RIGHT right[COLUMNS];
            UNROLL for (uint m = 0; m < ROWS; ++m)
                loadLeft(left[m], stage + (groupM * ROWS + m) * 16u * A_PITCH + k * 2u);
            UNROLL for (uint n = 0; n < COLUMNS; ++n)
                loadRight(right[n], stage + B_AT + k * 16u * B_PITCH + (groupN * COLUMNS + n) * 2u);
            UNROLL for (uint m = 0; m < ROWS; ++m)
                UNROLL for (uint n = 0; n < COLUMNS; ++n) multiplyAdd(left[m], right[n], sums[m][n]);
        }
    }

    UNROLL for (uint m = 0; m < ROWS; ++m) {
        // The stages or the last strip have been read.
        barrier();
        UNROLL for (uint n = 0; n < COLUMNS; ++n)
            storeSum(sums[m][n], groupM * 16u * STRIP_PITCH + (groupN * COLUMNS + n) * 4u);
        barrier();
        writeStrip(m, firstCell, cellCount, firstOctet);
    }
}
