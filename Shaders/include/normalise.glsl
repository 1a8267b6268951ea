// L2 normalisation of one row by a workgroup of 64 threads, in place. Include it after `chain.glsl` and the binding `target`.
//
// `most` is the largest element that the calling thread has seen of the row; all of `target[row..<row + quads]` must be written
// by the workgroup or before it. A row of zeros stays zeros; a NaN stays one.

shared float partial[64];

void normalise(uint row, uint quads, float most) {
    const uint self = gl_LocalInvocationIndex;

    // Squares are taken relative to the largest element: they neither overflow nor vanish.
    partial[self] = most;
    memoryBarrierBuffer();
    barrier();
    for (uint other = 0; other < 64; ++other) most = max(most, partial[other]);
    barrier();
    // The same in all threads, so all of them leave.
    if (most == 0) return;

    float squares = 0;
    for (uint quad = self; quad < quads; quad += 64u) {
        const vec4 value = target[row + quad] / most;
        squares += dot(value, value);
    }
    partial[self] = squares;
    barrier();
    squares = 0;
    for (uint other = 0; other < 64; ++other) squares += partial[other];

    const float norm = sqrt(squares);
    for (uint quad = self; quad < quads; quad += 64u) target[row + quad] = target[row + quad] / most / norm;
}
