#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_int32 : require
#if !SCALAR
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#extension GL_NV_cooperative_matrix2 : require
#endif

// 3x3 convolution, stride 1, padding 1, as a product of matrices that a whole workgroup owns, with bias, ReLU and optional 2x2
// max-pooling: fp16 products, fp32 sums. How a tile is spread over subgroups is the compiler's choice.
//
//   target[pixel, out] = relu(bias[out] + factor[out] sum over k of source[pixel moved by tap(k), channel(k)] weight[k, out])
//
// Pixels are gathered into two buffers of shared memory in turn; weights come straight from the parameters by tensor addressing.
//
// Macros        TILE_M, TILE_N, TILE_K: pixels, output channels, terms; multiples of 32, TILE_K one of 32, 64
//               SCALAR 1: matrices become arrays of fp32 and plain loops, for devices without matrix units: the same indices
// Divisibility  threads must divide TILE_M TILE_K / 8 and TILE_M TILE_N / 8, and be multiples of TILE_K / 8 and of TILE_N / 8
// 0 source      [image, SIDE, SIDE, 8 IN_OCTETS] fp16
// 1 parameters  bias, factors, then [9 * 8 IN_OCTETS rounded up to TILE_K, 8 PITCH_OCTETS] fp16: row
//               (3 ky + kx) 8 IN_OCTETS + channel, zeros up to the end; the pitch is a multiple of TILE_N
// 2 target      [image, SIDE or SIDE / 2, same, 8 OUT_OCTETS] fp16
// Threads       constant 0: as many as the device lists for matrices of a workgroup
// Workgroups    (ceil(images CELLS^2 / (TILE_M / 4)), ceil(8 OUT_OCTETS / TILE_N), 1); counted along x first, workgroup g makes
//               the TILE_M pixels from (g / groups along y) TILE_M on, and the TILE_N channels from (g % groups along y) TILE_N on
// Shared bytes  16 max(2 TILE_M (TILE_K / 8 + 1), TILE_M (TILE_N / 8 + 1)), and what the driver keeps for itself
#define HALF 1
#define FIRST 0
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

layout(set = 0, binding = 0) readonly buffer Source { uvec4 source[]; };
layout(set = 0, binding = 1) readonly buffer Factors { float factors[]; };
#if SCALAR
layout(set = 0, binding = 1) readonly buffer Weights { uvec4 weights[]; };
#else
layout(set = 0, binding = 1) readonly buffer Weights { float16_t weights[]; };
#endif
layout(set = 0, binding = 2) writeonly buffer Target { uvec4 target[]; };

const uint THREADS = gl_WorkGroupSize.x;

#include "cooperative.glsl"

const uint STAGE = TILE_M * A_PITCH;
// Of the finished tile, fp16; with the skew of every other row.
const uint RESULT_PITCH = TILE_N / 8 + 1;
const uint RESULT = TILE_M * RESULT_PITCH;

shared uvec4 memory[2 * STAGE > RESULT ? 2 * STAGE : RESULT];

float activated(const in uint32_t row, const in uint32_t column, const in float sum, const in uint32_t firstChannel) {
    const uint channel = firstChannel + column;
    const float result = fma(sum, factors[8u * PITCH_OCTETS + channel], factors[channel]);
    // NaN stays one.
    return result < 0.0 ? 0.0 : result;
}

#include "workgroup_matrices.glsl"

// Each half the larger of two, NaN if one is NaN. fp32 holds every fp16, so nothing is lost on the way.
uint largerHalves(uint a, uint b) {
    const vec4 most = larger(vec4(unpackHalf2x16(a), 0, 0), vec4(unpackHalf2x16(b), 0, 0));
    return packedHalves(most.x, most.y);
}

uvec4 largerOctet(uvec4 a, uvec4 b) {
    return uvec4(largerHalves(a.x, b.x), largerHalves(a.y, b.y), largerHalves(a.z, b.z), largerHalves(a.w, b.w));
}

void main() {
    const uint cellCount = batch.imageCount * CELLS * CELLS;
    // Neighbours in time share their pixels and not their weights: a layer's weights stay in any cache, its maps do not.
    const uint group = gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x;
    const uint firstCell = group / gl_NumWorkGroups.y * (TILE_M / 4);
    const uint firstOctet = group % gl_NumWorkGroups.y * (TILE_N / 8);

    Gather gather;
    beginGather(gather, firstCell, cellCount);
    const uint slot = gather.row * A_PITCH + gather.octet;

    SUM sums;
    clear(sums);
    uvec4 next[A_LOADS];
    gatherOctets(gather, 0, next);
    for (uint step = 0; step < STEPS; ++step) {
        // The buffer that the step before last read: every thread has passed the barrier since.
        const uint stage = (step & 1u) * STAGE;
        UNROLL for (uint i = 0; i < A_LOADS; ++i) memory[stage + slot + i * (THREADS / K_OCTETS) * A_PITCH] = next[i];
        barrier();
        if (step + 1u < STEPS) gatherOctets(gather, step + 1u, next);
        multiplyAdd(stage, step, firstOctet, sums);
    }
    // The last stage has been read.
    barrier();
    storeActivated(sums, firstOctet);
    barrier();

    const uint octets = TILE_N / 8;
    const uint inTile = gl_LocalInvocationIndex % octets;
    const uint octet = firstOctet + inTile;
    if (octet >= OUT_OCTETS) return;
    const uint count = POOL != 0u ? TILE_M / 4 : TILE_M;
    for (uint item = gl_LocalInvocationIndex / octets; item < count; item += THREADS / octets) {
        const uint row = POOL != 0u ? item * 4u : item;
        const uint cell = firstCell + row / 4u;
        const uint y = cell % (CELLS * CELLS) / CELLS * 2u + row % 4u / 2u;
        const uint x = cell % CELLS * 2u + row % 2u;
        if (cell >= cellCount || POOL == 0u && (y >= SIDE || x >= SIDE)) continue;
        uvec4 result = memory[row * RESULT_PITCH + inTile];
        if (POOL != 0u)
            UNROLL for (uint j = 1; j < 4; ++j)
                result = largerOctet(result, memory[(row + j) * RESULT_PITCH + inTile]);
        const uint pixel = POOL != 0u ? cell : (cell / (CELLS * CELLS) * SIDE + y) * SIDE + x;
        target[pixel * OUT_OCTETS + octet] = result;
    }
}
