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

// A subgroup is what its size would be. Operands stay in shared memory; of a sum, a thread keeps every LANES-th element.
const uint LANES = THREADS / (GROUPS_M * GROUPS_N);
#define SUBGROUP (gl_LocalInvocationIndex / LANES)
#define LEFT uint
#define RIGHT uint
struct Sum { float elements[256 / LANES]; };
#define SUM Sum
#define loadLeft(left, at) left = at
#define loadRight(right, at) right = at

float halfAt(uint octet, uint element) {
    const vec2 pair = unpackHalf2x16(memory[octet + element / 8u][element % 8u / 2u]);
    return pair[element % 2u];
}

void clear(out Sum sum) {
    for (uint i = 0; i < 256 / LANES; ++i) sum.elements[i] = 0;
}

void multiplyAdd(uint left, uint right, inout Sum sum) {
    for (uint i = 0; i < 256 / LANES; ++i) {
        const uint element = gl_LocalInvocationIndex % LANES + i * LANES;
        const uint row = element / 16u;
        const uint column = element % 16u;
        for (uint k = 0; k < 16; ++k)
            sum.elements[i] += halfAt(left + row * A_PITCH, k) * halfAt(right + k * B_PITCH, column);
    }
}

void storeSum(Sum sum, uint at) {
    for (uint i = 0; i < 256 / LANES; ++i) {
        const uint element = gl_LocalInvocationIndex % LANES + i * LANES;
        const uint column = element % 16u;
        memory[at + element / 16u * STRIP_PITCH + column / 4u][column % 4u] = floatBitsToUint(sum.elements[i]);
    }
}

#endif
