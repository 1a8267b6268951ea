#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require

// Winograd convolution F(4x4, 3x3), second of three kernels: the 36 products M[e] = V[e] U[e], patches by input channels times
// input channels by output channels.
//
// Macros        HALF: see chain.glsl
//               TILE_PATCHES, TILE_CHANNELS: what a workgroup makes; multiples of 8, product / 64 threads, and the threads
//               must divide 4 TILE_PATCHES and 4 TILE_CHANNELS
// 0 source      V [36, images TILES^2, 4 IN_QUADS], of winograd_input
// 1 parameters  bias, factors, then U [36, rows, pitch]: rows are input channels, zeros up to a multiple of 16
// 2 target      M [36, images TILES^2, 4 OUT_QUADS] fp32
// Workgroups    (ceil(images TILES^2 / TILE_PATCHES), ceil(4 OUT_QUADS / TILE_CHANNELS), 36)
#include "chain.glsl"

const uint THREADS = TILE_PATCHES * TILE_CHANNELS / 64;
layout(local_size_x = THREADS) in;

layout(constant_id = 0) const uint TILES = 4;
layout(constant_id = 1) const uint OUT_QUADS = 1;
layout(constant_id = 2) const uint IN_QUADS = 1;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 1) readonly buffer Weights { QUAD weights[]; };
layout(set = 0, binding = 2) writeonly buffer Target { vec4 target[]; };

const uint STEP = 4;
const uint TILE_QUADS = TILE_CHANNELS / 4;
const uint FIRST_WEIGHT = HALF != 0 ? 4 : 2;
// A thread makes 8 patches x 2 quads, each half a tile or an eighth of it apart so that neighbours read neighbouring words.
const uint PATCH_STRIDE = TILE_PATCHES / 8;
const uint QUAD_STRIDE = TILE_QUADS / 2;
const uint PATCH_LOADS = TILE_PATCHES * STEP / THREADS;
const uint WEIGHT_LOADS = 4 * STEP * TILE_QUADS / THREADS;
const uint PITCH = TILE_PATCHES + 1;

// [k][patch] and [k][quad].
shared float tilePatches[4 * STEP * PITCH];
shared vec4 tileWeights[4 * STEP * TILE_QUADS];

void main() {
    const uint self = gl_LocalInvocationIndex;
    const uint count = batch.imageCount * TILES * TILES;
    const uint element = gl_WorkGroupID.z;
    const uint firstPatch = gl_WorkGroupID.x * TILE_PATCHES;
    const uint firstQuad = gl_WorkGroupID.y * TILE_QUADS;
    const uint steps = (IN_QUADS + STEP - 1u) / STEP;
    // In quads.
    const uint pitch = (OUT_QUADS + TILE_QUADS - 1u) / TILE_QUADS * TILE_QUADS;
    const uint weightsAt = (FIRST_WEIGHT + element * steps * 4u * STEP) * pitch + firstQuad;

    const uint ownQuad = self % QUAD_STRIDE;
    const uint ownPatch = self / QUAD_STRIDE;
    vec4 sums[8][2];
    [[unroll]] for (uint p = 0; p < 8; ++p) sums[p][0] = sums[p][1] = vec4(0);

    for (uint step = 0; step < steps; ++step) {
        [[unroll]] for (uint i = 0; i < PATCH_LOADS; ++i) {
            const uint item = self + i * THREADS;
            const uint quad = step * STEP + item % STEP;
            const uint row = item / STEP;
            vec4 value = vec4(0);
            if (quad < IN_QUADS && firstPatch + row < count)
                value = vec4(source[(element * count + firstPatch + row) * IN_QUADS + quad]);
            [[unroll]] for (uint c = 0; c < 4; ++c) tilePatches[(item % STEP * 4u + c) * PITCH + row] = value[c];
        }
        [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
            const uint item = self + i * THREADS;
            const uint row = step * 4u * STEP + item / TILE_QUADS;
            tileWeights[item] = vec4(weights[weightsAt + row * pitch + item % TILE_QUADS]);
        }
        barrier();
        for (uint row = 0; row < 4u * STEP; ++row) {
            const vec4 first = tileWeights[row * TILE_QUADS + ownQuad];
            const vec4 second = tileWeights[row * TILE_QUADS + ownQuad + QUAD_STRIDE];
            [[unroll]] for (uint p = 0; p < 8; ++p) {
                const float value = tilePatches[row * PITCH + ownPatch + p * PATCH_STRIDE];
                sums[p][0] = fma(vec4(value), first, sums[p][0]);
                sums[p][1] = fma(vec4(value), second, sums[p][1]);
            }
        }
        barrier();
    }

    [[unroll]] for (uint p = 0; p < 8; ++p) {
        const uint patchIndex = firstPatch + ownPatch + p * PATCH_STRIDE;
        if (patchIndex >= count) continue;
        [[unroll]] for (uint q = 0; q < 2; ++q) {
            const uint quad = firstQuad + ownQuad + q * QUAD_STRIDE;
            if (quad < OUT_QUADS) target[(element * count + patchIndex) * OUT_QUADS + quad] = sums[p][q];
        }
    }
}
