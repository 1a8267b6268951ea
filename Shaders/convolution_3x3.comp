#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require

// 3x3 convolution, stride 1, padding 1, as an implicit matrix product with bias, ReLU and optional 2x2 max-pooling.
//
//   target[pixel, out] = relu(bias[out] + factor[out] sum over k of source[pixel moved by tap(k), channel(k)] weight[k, out])
//
// k runs over 9 taps x IN_QUADS quads, padded with zero weights to whole steps of STEP quads. Pixels are counted by cells, so a
// thread holds whole 2x2 cells and pools them in registers.
//
// Macros        HALF: see chain.glsl
//               TILE_PIXELS, TILE_CHANNELS: what a workgroup makes; multiples of 8, product / 64 threads, and the threads
//               must divide both TILE_PIXELS and 4 TILE_CHANNELS
// 0 source      [image, SIDE, SIDE, 4 IN_QUADS]
// 1 parameters  bias, factors, then [rows, pitch]: row (3 ky + kx) 4 IN_QUADS + channel, zeros up to
//               rows = 4 STEP ceil(9 IN_QUADS / STEP); the pitch is a multiple of TILE_CHANNELS
// 2 target      [image, SIDE or SIDE / 2, same, 4 OUT_QUADS]
// Workgroups    (ceil(images CELLS^2 / (TILE_PIXELS / 4)), ceil(4 OUT_QUADS / TILE_CHANNELS), 1)
#include "chain.glsl"

const uint THREADS = TILE_PIXELS * TILE_CHANNELS / 64;
layout(local_size_x = THREADS) in;

layout(constant_id = 0) const uint SIDE = 16;
layout(constant_id = 1) const uint OUT_QUADS = 1;
// Cells on a side: SIDE / 2, rounded up without pooling, down with pooling.
layout(constant_id = 2) const uint CELLS = 8;
// 1: the target holds each cell's maximum.
layout(constant_id = 3) const uint POOL = 0;
layout(constant_id = 4) const uint IN_QUADS = 1;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 1) readonly buffer Factors { vec4 factors[]; };
layout(set = 0, binding = 1) readonly buffer Weights { QUAD weights[]; };
layout(set = 0, binding = 2) writeonly buffer Target { QUAD target[]; };

const uint STEP = 4;
// Rows of quads that bias and factors take.
const uint FIRST_WEIGHT = HALF != 0 ? 4 : 2;
const uint TILE_CELLS = TILE_PIXELS / 4;
const uint TILE_QUADS = TILE_CHANNELS / 4;
// A thread makes 2 cells x 2 quads, each pair half a tile apart so that neighbours read neighbouring words.
const uint CELL_STRIDE = TILE_CELLS / 2;
const uint QUAD_STRIDE = TILE_QUADS / 2;
const uint CELL_LOADS = TILE_CELLS * STEP / THREADS;
const uint WEIGHT_LOADS = 4 * STEP * TILE_QUADS / THREADS;
// One more than a row needs: the four rows a thread stores fall into different banks.
const uint PITCH = TILE_CELLS + 1;

// [k][cell]: the four pixels of a cell in one vec4.
shared vec4 tilePixels[4 * STEP * PITCH];
// [k][quad]: four output channels in one vec4.
shared vec4 tileWeights[4 * STEP * TILE_QUADS];

void main() {
    const uint self = gl_LocalInvocationIndex;
    const uint cellCount = batch.imageCount * CELLS * CELLS;
    const uint firstCell = gl_WorkGroupID.x * TILE_CELLS;
    const uint firstQuad = gl_WorkGroupID.y * TILE_QUADS;
    const uint steps = (9u * IN_QUADS + STEP - 1u) / STEP;
    // In quads.
    const uint pitch = (OUT_QUADS + TILE_QUADS - 1u) / TILE_QUADS * TILE_QUADS;

    // Where this thread's loads begin: neighbours take neighbouring channels of one pixel.
    const uint loadQuad = self % STEP;
    ivec2 loadAt[CELL_LOADS];
    uint loadImage[CELL_LOADS];
    [[unroll]] for (uint i = 0; i < CELL_LOADS; ++i) {
        const uint cell = firstCell + (self + i * THREADS) / STEP;
        const uint inImage = cell % (CELLS * CELLS);
        loadImage[i] = cell / (CELLS * CELLS);
        // Cells past the last image lie outside of every image, so that they load zeros.
        loadAt[i] = cell < cellCount ? ivec2(inImage % CELLS, inImage / CELLS) * 2 - 1 : ivec2(-8);
    }

    const uint ownQuad = self % QUAD_STRIDE;
    const uint ownCell = self / QUAD_STRIDE;
    vec4 sums[2][2][4];
    [[unroll]] for (uint q = 0; q < 2; ++q)
        [[unroll]] for (uint c = 0; c < 2; ++c)
            [[unroll]] for (uint j = 0; j < 4; ++j) sums[c][q][j] = vec4(0);

    for (uint step = 0; step < steps; ++step) {
        const uint k = step * STEP + loadQuad;
        const uint tap = k / IN_QUADS;
        const uint channel = k - tap * IN_QUADS;
        const ivec2 shift = ivec2(tap % 3u, tap / 3u);
        [[unroll]] for (uint i = 0; i < CELL_LOADS; ++i) {
            vec4 values[4];
            [[unroll]] for (uint j = 0; j < 4; ++j) {
                const uvec2 at = uvec2(loadAt[i] + shift + ivec2(j % 2u, j / 2u));
                values[j] = vec4(0);
                if (at.x < SIDE && at.y < SIDE)
                    values[j] = vec4(source[((loadImage[i] * SIDE + at.y) * SIDE + at.x) * IN_QUADS + channel]);
            }
            const uint row = loadQuad * 4u * PITCH + (self + i * THREADS) / STEP;
            [[unroll]] for (uint c = 0; c < 4; ++c)
                tilePixels[row + c * PITCH] = vec4(values[0][c], values[1][c], values[2][c], values[3][c]);
        }
        [[unroll]] for (uint i = 0; i < WEIGHT_LOADS; ++i) {
            const uint item = self + i * THREADS;
            const uint row = step * 4u * STEP + item / TILE_QUADS;
            tileWeights[item] = vec4(weights[FIRST_WEIGHT * pitch + row * pitch + firstQuad + item % TILE_QUADS]);
        }
        barrier();
        for (uint row = 0; row < 4u * STEP; ++row) {
            const vec4 cells[2] = {
                tilePixels[row * PITCH + ownCell], tilePixels[row * PITCH + ownCell + CELL_STRIDE]
            };
            const vec4 near[2] = {
                tileWeights[row * TILE_QUADS + ownQuad], tileWeights[row * TILE_QUADS + ownQuad + QUAD_STRIDE]
            };
            [[unroll]] for (uint c = 0; c < 2; ++c)
                [[unroll]] for (uint q = 0; q < 2; ++q)
                    [[unroll]] for (uint j = 0; j < 4; ++j)
                        sums[c][q][j] = fma(vec4(cells[c][j]), near[q], sums[c][q][j]);
        }
        barrier();
    }

    [[unroll]] for (uint c = 0; c < 2; ++c) {
        const uint cell = firstCell + ownCell + c * CELL_STRIDE;
        const uint image = cell / (CELLS * CELLS);
        const uint cy = cell % (CELLS * CELLS) / CELLS;
        const uint cx = cell % CELLS;
        if (cell >= cellCount) continue;
        [[unroll]] for (uint q = 0; q < 2; ++q) {
            const uint quad = firstQuad + ownQuad + q * QUAD_STRIDE;
            if (quad >= OUT_QUADS) continue;
            const vec4 bias = factors[quad];
            const vec4 factor = factors[pitch + quad];
            [[unroll]] for (uint j = 0; j < 4; ++j) sums[c][q][j] = fma(sums[c][q][j], factor, bias);
            if (POOL != 0u) {
                const vec4 most = larger(larger(sums[c][q][0], sums[c][q][1]), larger(sums[c][q][2], sums[c][q][3]));
                target[cell * OUT_QUADS + quad] = QUAD(rectified(most));
            } else {
                [[unroll]] for (uint j = 0; j < 4; ++j) {
                    const uint y = cy * 2u + j / 2u;
                    const uint x = cx * 2u + j % 2u;
                    if (y < SIDE && x < SIDE)
                        target[((image * SIDE + y) * SIDE + x) * OUT_QUADS + quad] = QUAD(rectified(sums[c][q][j]));
                }
            }
        }
    }
}
