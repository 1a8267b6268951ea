#version 450 core
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_16bit_storage : require

// Three summaries of the last map, a channel at a time: maximum, mean, and the cube root of the mean of max(x, FLOOR)^3.
//
// Macros        HALF: see chain.glsl; here of the source alone
// 0 source      [image, PIXELS, 4 QUADS]
// 1 parameters  unused
// 2 target      [image, HEADS, 4 QUADS] fp32: writes max, mean, gem3 to the first rows of each image, not normalised;
//               channels from CHANNELS on are zero
// Workgroups    (ceil(QUADS / 8), images, 1); each makes 8 quads, 16 threads share a quad's pixels
#include "chain.glsl"

layout(local_size_x = 8, local_size_y = 16) in;

layout(constant_id = 0) const uint PIXELS = 1;
layout(constant_id = 1) const uint QUADS = 1;
layout(constant_id = 2) const uint CHANNELS = 4;
layout(constant_id = 3) const uint HEADS = 3;
// 1e-6 in the map's scale, in [1e-12, 1e6], so that its cube is a normal number. Nothing changes at these bounds: fp16 maps are
// scaled to tens, far above the one, and end at 65,504, below the other.
layout(constant_id = 4) const float FLOOR = 1e-6;

layout(set = 0, binding = 0) readonly buffer Source { QUAD source[]; };
layout(set = 0, binding = 2) writeonly buffer Target { vec4 target[]; };

shared vec4 maxima[16][8];
shared vec4 sums[16][8];
shared vec4 cubes[16][8];

// pow() may err by many ulp; one Newton step on y^3 = x makes up for it. x >= 1e-36.
vec4 cubeRoot(vec4 x) {
    const vec4 guess = pow(x, vec4(1.0 / 3.0));
    return guess - (guess - x / (guess * guess)) / 3.0;
}

void main() {
    const uint quad = gl_GlobalInvocationID.x;
    const uint image = gl_WorkGroupID.y;
    const uint column = gl_LocalInvocationID.x;
    const uint slice = gl_LocalInvocationID.y;

    // Activations follow a ReLU, so zero is the least.
    vec4 most = vec4(0), sum = vec4(0), cube = vec4(0);
    if (quad < QUADS)
        for (uint pixel = slice; pixel < PIXELS; pixel += 16u) {
            const vec4 value = vec4(source[(image * PIXELS + pixel) * QUADS + quad]);
            const vec4 positive = larger(value, vec4(FLOOR));
            most = larger(most, value);
            sum += value;
            cube += positive * positive * positive;
        }
    maxima[slice][column] = most;
    sums[slice][column] = sum;
    cubes[slice][column] = cube;
    barrier();
    if (slice != 0u || quad >= QUADS) return;

    for (uint other = 1; other < 16; ++other) {
        most = larger(most, maxima[other][column]);
        sum += sums[other][column];
        cube += cubes[other][column];
    }
    const bvec4 exists = lessThan(uvec4(0, 1, 2, 3) + quad * 4u, uvec4(CHANNELS));
    const uint row = image * HEADS * QUADS + quad;
    target[row] = most;
    target[row + QUADS] = sum / float(PIXELS);
    target[row + 2u * QUADS] = mix(vec4(0), cubeRoot(cube / float(PIXELS)), exists);
}
