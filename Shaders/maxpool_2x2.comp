#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require

// 2x2 max-pooling, stride 2, an odd last row or column dropped: for poolings that follow a pooling. Those that follow a
// convolution are part of it.
//
// Macros        HALF: see chain.glsl
// 0 source      [image, SIDE, SIDE, 4 QUADS]
// 1 parameters  unused
// 2 target      [image, SIDE / 2, SIDE / 2, 4 QUADS]
// Workgroups    (ceil(images (SIDE / 2)^2 QUADS / 128), 1, 1); a thread makes one quad
#include "chain.glsl"

layout(local_size_x = 128) in;

layout(constant_id = 0) const uint SIDE = 16;
layout(constant_id = 1) const uint QUADS = 1;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 2) writeonly buffer Target { QUAD target[]; };

void main() {
    const uint outSide = SIDE / 2u;
    const uint item = gl_GlobalInvocationID.x;
    if (item >= batch.imageCount * outSide * outSide * QUADS) return;
    const uint quad = item % QUADS;
    const uint x = item / QUADS % outSide;
    const uint y = item / QUADS / outSide % outSide;
    const uint image = item / QUADS / outSide / outSide;
    const uint first = ((image * SIDE + y * 2u) * SIDE + x * 2u) * QUADS + quad;
    const vec4 upper = larger(vec4(source[first]), vec4(source[first + QUADS]));
    const vec4 lower = larger(vec4(source[first + SIDE * QUADS]), vec4(source[first + (SIDE + 1u) * QUADS]));
    target[item] = QUAD(larger(upper, lower));
}
