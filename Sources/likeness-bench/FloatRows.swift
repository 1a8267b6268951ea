import Foundation

/// The rows of an `.fvecs` file (a little-endian int32 dimension, then that many floats, again for every row), mapped.
struct FloatRows: Sendable {
    private let bytes: Data
    let dimension: Int
    let count: Int

    /// - Throws: `BenchFailure` when the file is empty or its rows differ in length.
    init(_ url: URL) throws {
        bytes = try Data(contentsOf: url, options: .alwaysMapped)
        guard bytes.count >= 4 else { throw BenchFailure("\(url.path) is empty") }
        let first = bytes.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(as: Int32.self)) }
        guard first > 0, bytes.count % (4 + 4 * Int(first)) == 0 else {
            throw BenchFailure("\(url.path) has rows of different lengths")
        }
        dimension = Int(first)
        count = bytes.count / (4 + 4 * dimension)
    }

    /// Row `row`, in `0..<count`.
    subscript(row: Int) -> [Float] { withRow(row) { Array($0) } }

    /// Row `row` where it lies in the file's map: every row begins at a multiple of 4.
    func withRow<R>(_ row: Int, _ body: (UnsafeBufferPointer<Float>) -> R) -> R {
        let start = row * (4 + 4 * dimension) + 4
        return bytes.withUnsafeBytes { bytes in
            body(
                UnsafeRawBufferPointer(rebasing: bytes[start..<start + 4 * dimension]).assumingMemoryBound(
                    to: Float.self
                )
            )
        }
    }
}
