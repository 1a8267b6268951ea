#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require

// Winograd convolution F(4x4, 3x3), first of three kernels: V = B^T d B of each 6x6 patch d of the source, patches 4 pixels apart.
//
// Points 0, +-sqrt(1/2), +-sqrt(2), infinity: of the choices for this size the one that loses the fewest bits. Lavin and Gray
// (arXiv 1509.09308) give the method; with s = sqrt(1/2) the matrix is
//
//   B^T = [ 1    0  -5/2    0    1   0 ]
//         [ 0   -2s  -2     s    1   0 ]
//         [ 0    2s  -2    -s    1   0 ]
//         [ 0   -s   -1/2  2s    1   0 ]
//         [ 0    s   -1/2 -2s    1   0 ]
//         [ 0    1    0   -5/2   0   1 ]
//
// Macros        HALF: see chain.glsl
// 0 source      [image, SIDE, SIDE, 4 QUADS], images from batch.firstImage on
// 1 parameters  unused
// 2 target      [36, images TILES^2, 4 QUADS]: element 6 u + v of each patch, patches row by row
// Workgroups    (ceil(images TILES^2 QUADS / 64), 1, 1); a thread makes one quad of one patch
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint SIDE = 16;
layout(constant_id = 1) const uint QUADS = 1;
// Patches on a side: ceil(SIDE / 4).
layout(constant_id = 2) const uint TILES = 4;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 2) writeonly buffer Target { QUAD target[]; };

// B^T of six values.
void transform(inout vec4 d0, inout vec4 d1, inout vec4 d2, inout vec4 d3, inout vec4 d4, inout vec4 d5) {
    const float s = 0.70710678118654752;
    const vec4 outer = d4 - 2.0 * d2;
    const vec4 outerOdd = s * d3 - 2.0 * s * d1;
    const vec4 inner = d4 - 0.5 * d2;
    const vec4 innerOdd = 2.0 * s * d3 - s * d1;
    d0 = d0 - 2.5 * d2 + d4;
    d5 = d1 - 2.5 * d3 + d5;
    d1 = outer + outerOdd;
    d2 = outer - outerOdd;
    d3 = inner + innerOdd;
    d4 = inner - innerOdd;
}

void main() {
    const uint count = batch.imageCount * TILES * TILES;
    const uint item = gl_GlobalInvocationID.x;
    if (item >= count * QUADS) return;
    const uint quad = item % QUADS;
    const uint patchIndex = item / QUADS;
    const uint image = batch.firstImage + patchIndex / (TILES * TILES);
    // One less than the patch's outputs: the padding.
    const uint top = patchIndex / TILES % TILES * 4u - 1u;
    const uint left = patchIndex % TILES * 4u - 1u;

    vec4 d[6][6];
    [[unroll]] for (uint y = 0; y < 6; ++y)
        [[unroll]] for (uint x = 0; x < 6; ++x) {
            d[y][x] = vec4(0);
            if (top + y < SIDE && left + x < SIDE)
                d[y][x] = vec4(source[((image * SIDE + top + y) * SIDE + left + x) * QUADS + quad]);
        }
    [[unroll]] for (uint y = 0; y < 6; ++y) transform(d[y][0], d[y][1], d[y][2], d[y][3], d[y][4], d[y][5]);
    [[unroll]] for (uint x = 0; x < 6; ++x) {
        transform(d[0][x], d[1][x], d[2][x], d[3][x], d[4][x], d[5][x]);
        [[unroll]] for (uint y = 0; y < 6; ++y) target[((y * 6u + x) * count + patchIndex) * QUADS + quad] = QUAD(d[y][x]);
    }
}
