// The left operand of a 3x3 convolution as a matrix product, for kernels on matrix units: a stage of TILE_M pixels by TILE_K terms.
//
// Row m of a tile is pixel m % 4 of cell firstCell + m / 4. Term k is channel k % (8 IN_OCTETS) of tap k / (8 IN_OCTETS); with FIRST
// it is plane k % 3 of tap k / 3, terms from 27 on being zero. An octet is eight channels of one pixel: 16 bytes, the unit of every
// load, so that a stage may begin in one tap and end in the next.
//
// Include it after `chain.glsl`, the specialisation constants, the binding `source` and THREADS.

const uint K_OCTETS = TILE_K / 8;
// Rows are a skew of 16 bytes longer than they need be: eight rows of one octet, what a matrix load takes at once, lie in
// different banks.
const uint A_PITCH = K_OCTETS + 1;
const uint A_LOADS = TILE_M * K_OCTETS / THREADS;

#if SCALAR
// Software devices take minutes to compile what is unrolled.
#define UNROLL [[dont_unroll]]

uint packedHalves(float a, float b) { return packHalf2x16(vec2(a, b)); }
#else
#define UNROLL [[unroll]]

// By conversion of single values, which rounds to nearest where packHalf2x16 may cut off.
uint packedHalves(float a, float b) { return packFloat2x16(f16vec2(a, b)); }
#endif

#if FIRST
const uint STEPS = 1;
#else
const uint STEPS = (9 * IN_OCTETS + K_OCTETS - 1) / K_OCTETS;
#endif

// A thread loads one octet of a row, of A_LOADS rows.
struct Gather {
    // Octet of a stage, the same for all rows.
    uint octet;
    // Row of the tile of the first load; the others follow THREADS / K_OCTETS rows apart.
    uint row;
    // Octet of `source` (with FIRST: byte) at each row's pixel; bit t of the mask: tap t lies inside of the map.
    uint at[A_LOADS];
    uint mask[A_LOADS];
};

void beginGather(out Gather gather, uint firstCell, uint cellCount) {
    gather.octet = gl_LocalInvocationIndex % K_OCTETS;
    gather.row = gl_LocalInvocationIndex / K_OCTETS;
    UNROLL for (uint i = 0; i < A_LOADS; ++i) {
        const uint row = gather.row + i * (THREADS / K_OCTETS);
        const uint cell = firstCell + row / 4u;
        const uint inImage = cell % (CELLS * CELLS);
        const uint y = inImage / CELLS * 2u + row % 4u / 2u;
        const uint x = inImage % CELLS * 2u + row % 2u;
        const uint pixel = (cell / (CELLS * CELLS) * SIDE + y) * SIDE + x;
        uint mask = 0;
        // Cells past the last image, and the pixels of odd sides' last cells, load zeros.
        if (cell < cellCount && y < SIDE && x < SIDE)
            UNROLL for (uint tap = 0; tap < 9; ++tap)
                if (y + tap / 3u - 1u < SIDE && x + tap % 3u - 1u < SIDE) mask |= 1u << tap;
        gather.mask[i] = mask;
        gather.at[i] = pixel * (FIRST != 0 ? 3u : IN_OCTETS);
    }
}

#if FIRST
float valueAt(Gather gather, uint i, uint term) {
    const uint tap = term / 3u;
    // Terms from 27 on have no bit.
    if ((gather.mask[i] >> tap & 1u) == 0u) return 0;
    const uint plane = term % 3u;
    const uint byte = gather.at[i] + ((tap / 3u - 1u) * SIDE + tap % 3u - 1u) * 3u + (BGR != 0u ? 2u - plane : plane);
    const float value = float(source[byte >> 2] >> ((byte & 3u) * 8u) & 255u);
    const vec3 mean = vec3(batch.mean0, batch.mean1, batch.mean2);
    const vec3 scale = vec3(batch.scale0, batch.scale1, batch.scale2);
    return (value - mean[plane]) * scale[plane];
}
#endif

// The octets of stage `step`.
void gatherOctets(Gather gather, uint step, out uvec4 octets[A_LOADS]) {
#if FIRST
    UNROLL for (uint i = 0; i < A_LOADS; ++i)
        UNROLL for (uint pair = 0; pair < 4; ++pair) {
            const uint term = gather.octet * 8u + pair * 2u;
            octets[i][pair] = packedHalves(valueAt(gather, i, term), valueAt(gather, i, term + 1u));
        }
#else
    const uint index = step * K_OCTETS + gather.octet;
    const uint tap = index / IN_OCTETS;
    // Wraps below zero as the addition wraps back.
    const uint shift = ((tap / 3u - 1u) * SIDE + tap % 3u - 1u) * IN_OCTETS + index - tap * IN_OCTETS;
    UNROLL for (uint i = 0; i < A_LOADS; ++i) {
        octets[i] = uvec4(0);
        if ((gather.mask[i] >> tap & 1u) != 0u) octets[i] = source[gather.at[i] + shift];
    }
#endif
}
