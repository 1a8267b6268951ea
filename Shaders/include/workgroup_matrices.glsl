// Matrices of a whole workgroup: the product of a stage of pixels with weights, and the way of the sums into shared memory; in a
// scalar build their stand-ins.
//
// Include it after the shared array `memory`, `activated`, `weights`, THREADS, A_PITCH and RESULT_PITCH.

// Rows of weights that bias and factors take.
const uint FIRST_WEIGHT = 4;

#if !SCALAR

#define SUM coopmat<float, gl_ScopeWorkgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator>
// Macros, because functions cannot take matrices by reference everywhere.
#define clear(sums) sums = SUM(0.0)

#define multiplyAdd(stage, step, firstOctet, sums) { \
    tensorLayoutNV<2> rows = createTensorLayoutNV(2); \
    rows = setTensorLayoutDimensionNV(rows, STEPS * TILE_K, PITCH_OCTETS * 8u); \
    rows = sliceTensorLayoutNV(rows, (step) * TILE_K, TILE_K, (firstOctet) * 8u, TILE_N); \
    coopmat<float16_t, gl_ScopeWorkgroup, TILE_M, TILE_K, gl_MatrixUseA> left; \
    coopmat<float16_t, gl_ScopeWorkgroup, TILE_K, TILE_N, gl_MatrixUseB> right; \
    coopMatLoad(left, memory, stage, A_PITCH, gl_CooperativeMatrixLayoutRowMajor); \
    coopMatLoadTensorNV(right, weights, FIRST_WEIGHT * PITCH_OCTETS * 8u, rows); \
    sums = coopMatMulAdd(left, right, sums); \
}

#define storeActivated(sums, firstOctet) { \
    coopMatPerElementNV(sums, sums, activated, (firstOctet) * 8u); \
    const coopmat<float16_t, gl_ScopeWorkgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator> halves = \
        coopmat<float16_t, gl_ScopeWorkgroup, TILE_M, TILE_N, gl_MatrixUseAccumulator>(sums); \
    coopMatStore(halves, memory, 0, RESULT_PITCH, gl_CooperativeMatrixLayoutRowMajor); \
}

#else

// A thread keeps every THREADS-th octet of the tile's rows.
const uint OCTETS = TILE_N / 8;
struct Sum { vec4 quads[2 * TILE_M * OCTETS / THREADS]; };
#define SUM Sum

void clear(out Sum sums) {
    UNROLL for (uint i = 0; i < 2 * TILE_M * OCTETS / THREADS; ++i) sums.quads[i] = vec4(0);
}

void multiplyAdd(uint stage, uint step, uint firstOctet, inout Sum sums) {
    UNROLL for (uint i = 0; i < TILE_M * OCTETS / THREADS; ++i) {
        const uint item = gl_LocalInvocationIndex + i * THREADS;
        UNROLL for (uint k = 0; k < TILE_K; ++k) {
            const vec2 pair = unpackHalf2x16(memory[stage + item / OCTETS * A_PITCH + k / 8u][k % 8u / 2u]);
            const float factor = k % 2u == 0u ? pair.x : pair.y;
            const uint row = FIRST_WEIGHT + step * TILE_K + k;
            const uvec4 octet = weights[row * PITCH_OCTETS + firstOctet + item % OCTETS];
            sums.quads[2 * i] += factor * vec4(unpackHalf2x16(octet.x), unpackHalf2x16(octet.y));
            sums.quads[2 * i + 1] += factor * vec4(unpackHalf2x16(octet.z), unpackHalf2x16(octet.w));
        }
    }
}

void storeActivated(Sum sums, uint firstOctet) {
    UNROLL for (uint i = 0; i < TILE_M * OCTETS / THREADS; ++i) {
        const uint item = gl_LocalInvocationIndex + i * THREADS;
        const uint row = item / OCTETS;
        uvec4 octet;
        UNROLL for (uint pair = 0; pair < 4; ++pair) {
            const uint column = item % OCTETS * 8u + pair * 2u;
            const vec4 quad = sums.quads[2 * i + pair / 2u];
            octet[pair] = packedHalves(
                activated(row, column, pair % 2u == 0u ? quad.x : quad.z, firstOctet * 8u),
                activated(row, column + 1u, pair % 2u == 0u ? quad.y : quad.w, firstOctet * 8u)
            );
        }
        memory[row * RESULT_PITCH + item % OCTETS] = octet;
    }
}

#endif
