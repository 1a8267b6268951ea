#version 450 core
#extension GL_GOOGLE_include_directive : require

// L2 normalisation of the summaries, in place. A row of zeros stays zeros.
//
// 0 source      unused
// 1 parameters  unused
// 2 target      [image, HEADS, 4 QUADS] fp32
// Workgroups    (HEADS, images, 1); one row each
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint QUADS = 1;
layout(constant_id = 1) const uint HEADS = 1;

layout(set = 0, binding = 2) buffer Target { vec4 target[]; };

#include "normalise.glsl"

void main() {
    const uint row = (gl_WorkGroupID.y * HEADS + gl_WorkGroupID.x) * QUADS;
    float most = 0;
    for (uint quad = gl_LocalInvocationIndex; quad < QUADS; quad += 64u) {
        const vec4 value = target[row + quad];
        most = max(most, max(max(value.x, value.y), max(value.z, value.w)));
    }
    normalise(row, QUADS, most);
}
