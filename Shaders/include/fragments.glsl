// 16x16 matrices of a subgroup: types, loads, product, store; in a scalar build their stand-ins.
//
// Include it after the shared array `memory` (uvec4), A_PITCH, B_PITCH (octets of fp16) and STRIP_PITCH (quads of fp32). Positions
// are elements of `memory`.

#if !SCALAR

#define SUBGROUP gl_SubgroupID
#define LEFT coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseA>
#define RIGHT coopmat<float16_t, gl_ScopeSubgroup, 16, 16, gl_MatrixUseB>
#define SUM coopmat<float, gl_ScopeSubgroup, 16, 16, gl_MatrixUseAccumulator>
// Macros, because functions cannot take matrices by reference everywhere.
#define clear(sum) sum = SUM(0.0)
#define loadLeft(left, at) coopMatLoad(left, memory, at, A_PITCH, gl_CooperativeMatrixLayoutRowMajor)
#define loadRight(right, at) coopMatLoad(right, memory, at, B_PITCH, gl_CooperativeMatrixLayoutRowMajor)
#define multiplyAdd(left, right, sum) sum = coopMatMulAdd(left, right, sum)
#define storeSum(sum, at) coopMatStore(sum, memory, at, STRIP_PITCH, gl_CooperativeMatrixLayoutRowMajor)

#else

// A subgroup is what its size would be. Operands stay in shared memory; of a sum, a thread keeps every LANES-th quad of a row.
const uint LANES = THREADS / (GROUPS_M * GROUPS_N);
#define SUBGROUP (gl_LocalInvocationIndex / LANES)
#define LEFT uint
#define RIGHT uint
struct Sum { vec4 quads[64 / LANES]; };
#define SUM Sum
#define loadLeft(left, at) left = at
#define loadRight(right, at) right = at

void clear(out Sum sum) {
    UNROLL for (uint i = 0; i < 64 / LANES; ++i) sum.quads[i] = vec4(0);
}

// Of element k of the right operand's rows, the quad that the calling thread keeps of its sums: the same in all of them.
vec4 rightQuad(uint right, uint k) {
    const uint quad = gl_LocalInvocationIndex % 4u;
    const uvec4 octet = memory[right + k * B_PITCH + quad / 2u];
    const uvec2 halves = quad % 2u == 0u ? octet.xy : octet.zw;
    return vec4(unpackHalf2x16(halves.x), unpackHalf2x16(halves.y));
}

void multiplyAdd(uint left, uint right, inout Sum sum) {
    UNROLL for (uint k = 0; k < 16; k += 2u) {
        const vec4 even = rightQuad(right, k);
        const vec4 odd = rightQuad(right, k + 1u);
        UNROLL for (uint i = 0; i < 64 / LANES; ++i) {
            const uint row = (gl_LocalInvocationIndex % LANES + i * LANES) / 4u;
            const vec2 pair = unpackHalf2x16(memory[left + row * A_PITCH + k / 8u][k % 8u / 2u]);
            sum.quads[i] += pair.x * even + pair.y * odd;
        }
    }
}

void storeSum(Sum sum, uint at) {
    UNROLL for (uint i = 0; i < 64 / LANES; ++i) {
        const uint quad = gl_LocalInvocationIndex % LANES + i * LANES;
        memory[at + quad / 4u * STRIP_PITCH + quad % 4u] = floatBitsToUint(sum.quads[i]);
    }
}

#endif
