#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_16bit_storage : require

// Winograd convolution F(4x4, 3x3), last of three kernels: A^T M A of each patch, 4x4 pixels, with bias, ReLU and optional 2x2
// max-pooling. With s = sqrt(1/2) the matrix is
//
//   A^T = [ 1  1    1    1    1   0 ]
//         [ 0  s   -s   2s  -2s   0 ]
//         [ 0  1/2  1/2  2    2   0 ]
//         [ 0  s/2 -s/2 4s  -4s   1 ]
//
// Macros        HALF: see chain.glsl; here of the target alone
// 0 source      M [36, images TILES^2, 4 QUADS] fp32, of winograd_product
// 1 parameters  bias, factors
// 2 target      [image, SIDE or SIDE / 2, same, 4 QUADS], images from batch.firstImage on
// Workgroups    (ceil(images TILES^2 QUADS / 64), 1, 1); a thread makes one quad of one patch
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint SIDE = 16;
layout(constant_id = 1) const uint QUADS = 1;
// Patches on a side: ceil(SIDE / 4).
layout(constant_id = 2) const uint TILES = 4;
// 1: the target holds each cell's maximum.
layout(constant_id = 3) const uint POOL = 0;
// Of a row of the parameters, in quads.
layout(constant_id = 4) const uint PITCH = 1;

layout(set = 0, binding = 0) readonly buffer Source { vec4 source[]; };
layout(set = 0, binding = 1) readonly buffer Factors { vec4 factors[]; };
layout(set = 0, binding = 2) writeonly buffer Target { QUAD target[]; };

// A^T of six values.
vec4[4] transformed(vec4 m0, vec4 m1, vec4 m2, vec4 m3, vec4 m4, vec4 m5) {
    const float s = 0.70710678118654752;
    const vec4 inner = m1 + m2;
    const vec4 innerOdd = s * (m1 - m2);
    const vec4 outer = m3 + m4;
    const vec4 outerOdd = 2.0 * s * (m3 - m4);
    return vec4[4](
        m0 + inner + outer, innerOdd + outerOdd, 0.5 * inner + 2.0 * outer, 0.5 * innerOdd + 2.0 * outerOdd + m5
    );
}

void main() {
    const uint count = batch.imageCount * TILES * TILES;
    const uint item = gl_GlobalInvocationID.x;
    if (item >= count * QUADS) return;
    const uint quad = item % QUADS;
    const uint patchIndex = item / QUADS;
    const uint image = batch.firstImage + patchIndex / (TILES * TILES);
    const uint top = patchIndex / TILES % TILES * 4u;
    const uint left = patchIndex % TILES * 4u;

    vec4 columns[6][4];
    [[unroll]] for (uint x = 0; x < 6; ++x) {
        vec4 m[6];
        [[unroll]] for (uint y = 0; y < 6; ++y) m[y] = source[((y * 6u + x) * count + patchIndex) * QUADS + quad];
        columns[x] = transformed(m[0], m[1], m[2], m[3], m[4], m[5]);
    }
    const vec4 bias = factors[quad];
    const vec4 factor = factors[PITCH + quad];
    vec4 rows[4][4];
    [[unroll]] for (uint y = 0; y < 4; ++y) {
        rows[y] = transformed(columns[0][y], columns[1][y], columns[2][y], columns[3][y], columns[4][y], columns[5][y]);
        [[unroll]] for (uint x = 0; x < 4; ++x) rows[y][x] = rectified(fma(rows[y][x], factor, bias));
    }

    if (POOL != 0u) {
        const uint outSide = SIDE / 2u;
        [[unroll]] for (uint y = 0; y < 2; ++y)
            [[unroll]] for (uint x = 0; x < 2; ++x) {
                const uint cy = top / 2u + y;
                const uint cx = left / 2u + x;
                const vec4 upper = larger(rows[2 * y][2 * x], rows[2 * y][2 * x + 1]);
                const vec4 lower = larger(rows[2 * y + 1][2 * x], rows[2 * y + 1][2 * x + 1]);
                if (cy < outSide && cx < outSide)
                    target[((image * outSide + cy) * outSide + cx) * QUADS + quad] = QUAD(larger(upper, lower));
            }
    } else {
        [[unroll]] for (uint y = 0; y < 4; ++y)
            [[unroll]] for (uint x = 0; x < 4; ++x)
                if (top + y < SIDE && left + x < SIDE)
                    target[((image * SIDE + top + y) * SIDE + left + x) * QUADS + quad] = QUAD(rows[y][x]);
    }
}
