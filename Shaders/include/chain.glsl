// What every kernel of the chain shares: the bindings' numbers, the push constants, arithmetic that keeps NaN.
//
// Bindings (set 0):   0 source   1 parameters   2 target
// Activations:        [image, y, x, channel], channels padded with zeros to whole quads (vec4). They are fp32 with HALF 0 and
//                     fp16 with HALF 1; arithmetic is fp32 always. A map of fp16 holds its values times a power of two.
// Parameters:         of a convolution: [pitch] fp32 bias, [pitch] fp32 factors (powers of two), then the weights; a result is
//                     relu(sum * factor + bias). The pitch is the count of output channels with their padding.
// Cell:               2x2 pixels of a map, the unit of pooling; pixel j of cell (cy, cx) is (2 cy + j / 2, 2 cx + j % 2).

layout(push_constant) uniform Batch {
    uint imageCount;
    // Of those kernels that take a part of the batch: the first image of the part; imageCount is its length then.
    uint firstImage;
    // Of the first layer: subtracted from, then multiplied with each input plane. Units 0...255.
    float mean0, mean1, mean2;
    float scale0, scale1, scale2;
} batch;

#if HALF
#define QUAD f16vec4
#else
#define QUAD vec4
#endif

// ReLU. max() may return either operand for NaN; a comparison lets NaN through, so that the host sees it.
vec4 rectified(vec4 x) { return mix(x, vec4(0), lessThan(x, vec4(0))); }

// The larger of two, NaN if one is NaN.
vec4 larger(vec4 a, vec4 b) {
    bvec4 takesB = not(greaterThanEqual(a, b));
    return mix(mix(a, b, takesB), a, isnan(a));
}
