/// A 3x3 kernel g in the domain of F(4x4, 3x3): G g G^T, 6x6 elements row by row. `Shaders/winograd_input.comp` has the points.
///
/// G's rows: [1 0 0], [-2/3 -+sqrt(2)/3 -1/3] twice, [1/6 +-sqrt(2)/6 1/3] twice, [0 0 1].
struct WinogradKernel {
    private var elements: [36 of Float]

    /// Transforms `weights[first..<first + 9]`, row by row.
    init(_ weights: Span<Float>, at first: Int) {
        // Columns first: row e of `half` is row e of G g.
        var half = [18 of Float](repeating: 0)
        for x in 0..<3 {
            let column = Self.transformed(weights[first + x], weights[first + 3 + x], weights[first + 6 + x])
            for element in 0..<6 { half[element * 3 + x] = column[element] }
        }
        elements = [36 of Float](repeating: 0)
        for y in 0..<6 {
            let row = Self.transformed(half[y * 3], half[y * 3 + 1], half[y * 3 + 2])
            for element in 0..<6 { elements[y * 6 + element] = row[element] }
        }
    }

    subscript(element: Int) -> Float { elements[element] }

    private static func transformed(_ a: Float, _ b: Float, _ c: Float) -> [6 of Float] {
        let outer = (2 * a + c) * (-1 / 3)
        let outerOdd = b * (Float(2).squareRoot() / 3)
        let inner = (a + 2 * c) * (1 / 6)
        let innerOdd = b * (Float(2).squareRoot() / 6)
        return [a, outer - outerOdd, outer + outerOdd, inner + innerOdd, inner - innerOdd, c]
    }
}
