import Foundation
import Harness

/// Rows of an `.fvecs` or `.ivecs` file: a little-endian int32 dimension, then that many 4-byte values.
struct VectorFile {
    private let bytes: Data
    let dimension: Int
    let count: Int

    init(_ url: URL) throws {
        bytes = try Data(contentsOf: url, options: .alwaysMapped)
        guard bytes.count >= 4 else { throw HarnessFailure("\(url.path) is empty") }
        let first = bytes.withUnsafeBytes { Int32(littleEndian: $0.loadUnaligned(as: Int32.self)) }
        guard first > 0, bytes.count % (4 + 4 * Int(first)) == 0 else {
            throw HarnessFailure("\(url.path) has rows of different lengths")
        }
        dimension = Int(first)
        count = bytes.count / (4 + 4 * dimension)
    }

    func floats(_ row: Int) -> [Float] { values(row) }
    func integers(_ row: Int) -> [Int32] { values(row) }

    private func values<T: BitwiseCopyable>(_ row: Int) -> [T] {
        let start = row * (4 + 4 * dimension) + 4
        return bytes.withUnsafeBytes { bytes in
            (0..<dimension).map { bytes.loadUnaligned(fromByteOffset: start + 4 * $0, as: T.self) }
        }
    }
}
