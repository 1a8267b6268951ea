#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require

// R-MAC, first half: the normalised maxima of each region of the last map. Regions as in Sources/Inference/RegionGrid.swift, where
// the map is a square: scale l has l x l squares of side max(1, 2 SIDE / (l + 1)), evenly spread.
//
// Macros        HALF: see chain.glsl; here of the source alone
// 0 source      [image, SIDE, SIDE, 4 QUADS]
// 1 parameters  unused
// 2 target      [image, REGIONS, 4 QUADS] fp32; REGIONS = 1 + 4 + 9
// Workgroups    (REGIONS, images, 1); one row each
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint SIDE = 1;
layout(constant_id = 1) const uint QUADS = 1;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 2) buffer Target { vec4 target[]; };

#include "normalise.glsl"

void main() {
    const uint region = gl_WorkGroupID.x;
    const uint image = gl_WorkGroupID.y;
    const uint row = (image * gl_NumWorkGroups.x + region) * QUADS;

    const uint scale = region == 0u ? 1u : region < 5u ? 2u : 3u;
    const uint number = region - (scale == 1u ? 0u : scale == 2u ? 1u : 5u);
    const uint side = max(1u, 2u * SIDE / (scale + 1u));
    const uint gaps = max(1u, scale - 1u);
    const uint top = number / scale * (SIDE - side) / gaps;
    const uint left = number % scale * (SIDE - side) / gaps;

    float greatest = 0;
    for (uint quad = gl_LocalInvocationIndex; quad < QUADS; quad += 64u) {
        // Activations follow a ReLU, so zero is the least.
        vec4 most = vec4(0);
        for (uint y = top; y < top + side; ++y)
            for (uint x = left; x < left + side; ++x)
                most = larger(most, vec4(source[((image * SIDE + y) * SIDE + x) * QUADS + quad]));
        target[row + quad] = most;
        greatest = max(greatest, max(max(most.x, most.y), max(most.z, most.w)));
    }
    normalise(row, QUADS, greatest);
}
