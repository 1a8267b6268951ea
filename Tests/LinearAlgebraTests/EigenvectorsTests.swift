import Testing

@testable import LinearAlgebra

@Suite("Eigenvectors")
struct EigenvectorsTests {
    @Test(arguments: [1, 2, 3, 17, 64]) func rebuildTheirMatrix(size: Int) throws {
        // Symmetric, with entries of both signs and no special structure.
        func entry(_ row: Int, _ column: Int) -> Double {
            Double(((row + 1) * (column + 1) * 7919) % 101) / 50 - 1
        }
        var matrix = [Double](repeating: .nan, count: size * size)
        for row in 0..<size {
            // The lower triangle stays unset: it must not be read.
            for column in row..<size { matrix[row * size + column] = entry(row, column) }
        }
        let values = try Eigenvectors.replace(&matrix, size: size)
        #expect(values == values.sorted())
        for row in 0..<size {
            for column in 0..<size {
                var sum = 0.0
                var product = 0.0
                for k in 0..<size {
                    sum += values[k] * matrix[k * size + row] * matrix[k * size + column]
                    product += matrix[row * size + k] * matrix[column * size + k]
                }
                #expect(abs(sum - entry(min(row, column), max(row, column))) < 1e-10)
                #expect(abs(product - (row == column ? 1 : 0)) < 1e-12)
            }
        }
    }
}
