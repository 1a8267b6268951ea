#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_control_flow_attributes : require

// First convolution: 3x3, stride 1, padding 1, three input planes, straight from uint8, with bias, ReLU and optional pooling.
// Padding is zero after preprocessing, as everywhere.
//
// Macros        HALF: see chain.glsl; here of the target alone
// 0 source      [image, SIDE, SIDE, 3] uint8 RGB, packed four bytes a word, the whole padded to a word
// 1 parameters  bias, factors, then [27, 4 OUT_QUADS] fp32: row (3 ky + kx) 3 + plane
// 2 target      [image, SIDE or SIDE / 2, same, 4 OUT_QUADS]
// Workgroups    (ceil(CELLS / 8), ceil(CELLS / 8), images); each makes 8x8 cells of all channels
// Tile          8x8 cells of one image, fixed; no divisibility is asked for
#include "chain.glsl"

layout(local_size_x = 8, local_size_y = 8) in;

// Input side in pixels.
layout(constant_id = 0) const uint SIDE = 16;
// Output channels in quads.
layout(constant_id = 1) const uint OUT_QUADS = 4;
// Cells on a side: SIDE / 2, rounded up without pooling, down with pooling.
layout(constant_id = 2) const uint CELLS = 8;
// 1: the target holds each cell's maximum.
layout(constant_id = 3) const uint POOL = 0;
// 1: plane 0 is blue.
layout(constant_id = 4) const uint BGR = 0;

layout(set = 0, binding = 0) readonly buffer Source { uint source[]; };
layout(set = 0, binding = 1) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = 2) writeonly buffer Target { QUAD target[]; };

// 16x16 pixels and a border of one.
const uint PATCH = 18;
shared float patchPlanes[3][PATCH * PATCH];

float byteAt(uint index) {
    return float((source[index >> 2] >> ((index & 3u) * 8u)) & 255u);
}

void main() {
    const uint image = gl_WorkGroupID.z;
    const ivec2 corner = ivec2(gl_WorkGroupID.xy) * 16 - 1;
    for (uint item = gl_LocalInvocationIndex; item < PATCH * PATCH; item += 64u) {
        const ivec2 at = corner + ivec2(item % PATCH, item / PATCH);
        vec3 value = vec3(0);
        if (all(greaterThanEqual(at, ivec2(0))) && all(lessThan(at, ivec2(SIDE)))) {
            const uint first = ((image * SIDE + uint(at.y)) * SIDE + uint(at.x)) * 3u;
            const vec3 rgb = vec3(byteAt(first), byteAt(first + 1u), byteAt(first + 2u));
            value = (BGR != 0u ? rgb.bgr : rgb) - vec3(batch.mean0, batch.mean1, batch.mean2);
            value *= vec3(batch.scale0, batch.scale1, batch.scale2);
        }
        patchPlanes[0][item] = value.x;
        patchPlanes[1][item] = value.y;
        patchPlanes[2][item] = value.z;
    }
    barrier();

    const uint cx = gl_GlobalInvocationID.x;
    const uint cy = gl_GlobalInvocationID.y;
    if (cx >= CELLS || cy >= CELLS) return;

    // The cell's 4x4 neighbourhood stays in registers for all output channels.
    float near[3][16];
    const uint origin = gl_LocalInvocationID.y * 2u * PATCH + gl_LocalInvocationID.x * 2u;
    [[unroll]] for (uint plane = 0; plane < 3; ++plane)
        [[unroll]] for (uint i = 0; i < 16; ++i)
            near[plane][i] = patchPlanes[plane][origin + (i / 4u) * PATCH + i % 4u];

    for (uint quad = 0; quad < OUT_QUADS; ++quad) {
        vec4 sums[4] = { vec4(0), vec4(0), vec4(0), vec4(0) };
        [[unroll]] for (uint tap = 0; tap < 9; ++tap)
            [[unroll]] for (uint plane = 0; plane < 3; ++plane) {
                const vec4 weight = parameters[(2u + tap * 3u + plane) * OUT_QUADS + quad];
                [[unroll]] for (uint j = 0; j < 4; ++j)
                    sums[j] = fma(vec4(near[plane][(j / 2u + tap / 3u) * 4u + j % 2u + tap % 3u]), weight, sums[j]);
            }
        const vec4 bias = parameters[quad];
        const vec4 factor = parameters[OUT_QUADS + quad];
        [[unroll]] for (uint j = 0; j < 4; ++j) sums[j] = fma(sums[j], factor, bias);
        if (POOL != 0u) {
            const vec4 most = larger(larger(sums[0], sums[1]), larger(sums[2], sums[3]));
            target[((image * CELLS + cy) * CELLS + cx) * OUT_QUADS + quad] = QUAD(rectified(most));
        } else {
            [[unroll]] for (uint j = 0; j < 4; ++j) {
                const uint y = cy * 2u + j / 2u;
                const uint x = cx * 2u + j % 2u;
                if (y < SIDE && x < SIDE)
                    target[((image * SIDE + y) * SIDE + x) * OUT_QUADS + quad] = QUAD(rectified(sums[j]));
            }
        }
    }
}
