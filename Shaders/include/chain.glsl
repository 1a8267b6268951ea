// What every kernel of the chain shares: the bindings' numbers, the push constants, arithmetic that keeps NaN.
//
// Bindings (set 0):   0 source   1 parameters   2 target
// Activations:        [image, y, x, channel] fp32, channels padded with zeros to whole quads (vec4).
// Cell:               2x2 pixels of a map, the unit of pooling; pixel j of cell (cy, cx) is (2 cy + j / 2, 2 cx + j % 2).

layout(push_constant) uniform Batch {
    uint imageCount;
    // Of the first layer: subtracted from, then multiplied with each input plane. Units 0...255.
    float mean0, mean1, mean2;
    float scale0, scale1, scale2;
} batch;

// ReLU. max() may return either operand for NaN; a comparison lets NaN through, so that the host sees it.
vec4 rectified(vec4 x) { return mix(x, vec4(0), lessThan(x, vec4(0))); }

// The larger of two, NaN if one is NaN.
vec4 larger(vec4 a, vec4 b) {
    bvec4 takesB = not(greaterThanEqual(a, b));
    return mix(mix(a, b, takesB), a, isnan(a));
}
