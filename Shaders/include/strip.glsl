// The way out of a tile: sums in shared memory become bias, ReLU, pooling and fp16 in the target.
//
// Include it after the shared array `memory`, the bindings `factors` and `target`, and STRIP_ROWS, STRIP_PITCH, ROWS.

vec4 sumsAt(uint row, uint quad) { return uintBitsToFloat(memory[row * STRIP_PITCH + quad]); }

// Octet `octet` of the tile's channels, `most` of its first four and last four already activated.
uvec4 packedOctet(vec4 first, vec4 last) {
    return uvec4(
        packedHalves(first.x, first.y), packedHalves(first.z, first.w), packedHalves(last.x, last.y),
        packedHalves(last.z, last.w)
    );
}

// Writes strip m: of each of the GROUPS_M rows of subgroups, the rows 16 m ..< 16 m + 16.
void writeStrip(uint m, uint firstCell, uint cellCount, uint firstOctet) {
    const uint octets = TILE_N / 8;
    const uint rows = POOL != 0u ? STRIP_ROWS / 4 : STRIP_ROWS;
    // Threads divide evenly into octets, so a thread's octet stays the same.
    const uint inTile = gl_LocalInvocationIndex % octets;
    const uint octet = firstOctet + inTile;
    if (octet >= OUT_OCTETS) return;
    const vec4 biases[2] = { factors[octet * 2u], factors[octet * 2u + 1u] };
    const vec4 scales[2] = { factors[(PITCH_OCTETS + octet) * 2u], factors[(PITCH_OCTETS + octet) * 2u + 1u] };
    for (uint item = gl_LocalInvocationIndex / octets; item < rows; item += THREADS / octets) {
        const uint row = POOL != 0u ? item * 4u : item;
        // Row of the tile, cell and pixel of it.
        const uint inTileRow = row / 16u * (ROWS * 16u) + m * 16u + row % 16u;
        const uint cell = firstCell + inTileRow / 4u;
        if (cell >= cellCount) continue;
        const uint image = cell / (CELLS * CELLS);
        const uint y = cell % (CELLS * CELLS) / CELLS * 2u + inTileRow % 4u / 2u;
        const uint x = cell % CELLS * 2u + inTileRow % 2u;
        if (POOL == 0u && (y >= SIDE || x >= SIDE)) continue;
        vec4 results[2];
        UNROLL for (uint q = 0; q < 2; ++q) {
            results[q] = fma(sumsAt(row, inTile * 2u + q), scales[q], biases[q]);
            if (POOL != 0u)
                UNROLL for (uint j = 1; j < 4; ++j)
                    results[q] = larger(results[q], fma(sumsAt(row + j, inTile * 2u + q), scales[q], biases[q]));
            results[q] = rectified(results[q]);
        }
        const uint pixel = POOL != 0u ? cell : (image * SIDE + y) * SIDE + x;
        target[pixel * OUT_OCTETS + octet] = packedOctet(results[0], results[1]);
    }
}
