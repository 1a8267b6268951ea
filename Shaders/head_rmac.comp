#version 450 core
#extension GL_GOOGLE_include_directive : require

// R-MAC, second half: the sum of the regions' normalised maxima, not normalised.
//
// 0 source      [image, REGIONS, 4 QUADS] fp32
// 1 parameters  unused
// 2 target      [image, HEADS, 4 QUADS] fp32; writes row ROW of each image
// Workgroups    (ceil(QUADS / 64), images, 1); a quad each thread
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint REGIONS = 1;
layout(constant_id = 1) const uint QUADS = 1;
layout(constant_id = 2) const uint HEADS = 1;
layout(constant_id = 3) const uint ROW = 0;

layout(set = 0, binding = 0) readonly buffer Source { vec4 source[]; };
layout(set = 0, binding = 2) writeonly buffer Target { vec4 target[]; };

void main() {
    const uint quad = gl_GlobalInvocationID.x;
    const uint image = gl_WorkGroupID.y;
    if (quad >= QUADS) return;
    vec4 sum = vec4(0);
    for (uint region = 0; region < REGIONS; ++region) sum += source[(image * REGIONS + region) * QUADS + quad];
    target[(image * HEADS + ROW) * QUADS + quad] = sum;
}
