#version 450 core
#extension GL_GOOGLE_include_directive : require

// L2 normalisation of the summaries, in place. A row of zeros stays zeros.
//
// 0 source      unused
// 1 parameters  unused
// 2 target      [image, 3, 4 QUADS] fp32
// Workgroups    (3, images, 1); one row each
#include "chain.glsl"

layout(local_size_x = 64) in;

layout(constant_id = 0) const uint QUADS = 1;

layout(set = 0, binding = 2) buffer Target { vec4 target[]; };

shared float partial[64];

void main() {
    const uint self = gl_LocalInvocationIndex;
    const uint row = (gl_WorkGroupID.y * 3u + gl_WorkGroupID.x) * QUADS;

    // Squares are taken relative to the largest element: they neither overflow nor vanish.
    float most = 0;
    for (uint quad = self; quad < QUADS; quad += 64u) {
        const vec4 value = target[row + quad];
        most = max(most, max(max(value.x, value.y), max(value.z, value.w)));
    }
    partial[self] = most;
    barrier();
    for (uint other = 0; other < 64; ++other) most = max(most, partial[other]);
    barrier();
    // The same in all threads, so all of them leave.
    if (most == 0) return;

    float squares = 0;
    for (uint quad = self; quad < QUADS; quad += 64u) {
        const vec4 value = target[row + quad] / most;
        squares += dot(value, value);
    }
    partial[self] = squares;
    barrier();
    squares = 0;
    for (uint other = 0; other < 64; ++other) squares += partial[other];

    const float norm = sqrt(squares);
    for (uint quad = self; quad < QUADS; quad += 64u) target[row + quad] = target[row + quad] / most / norm;
}
