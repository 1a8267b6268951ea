internal import CIndexKernels
internal import Glibc

/// A vector as it is stored: binary16, little-endian.
package struct HalfVector: Equatable, Sendable {
    /// Two for each component.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    /// The components, exactly.
    package var floats: [Float] { floats(DispatchTable.chosen) }

    /// XXH3 of the bytes: equal vectors have equal hashes.
    var hash: UInt64 { CIndexKernels_xxh3_64(bytes, bytes.count) }

    func equals(_ other: UnsafeRawPointer) -> Bool {
        bytes.withUnsafeBytes { mine in
            guard let base = mine.baseAddress else { return true }
            return memcmp(base, other, mine.count) == 0
        }
    }

    func floats(_ kernels: DispatchTable) -> [Float] {
        let count = bytes.count / 2
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
            guard let base = buffer.baseAddress else { return }
            kernels.table.pointee.convert_f16_f32(bytes, count, base)
            initialised = count
        }
    }
}

extension VectorIndex {
    /// A vector in binary16.
    package func halves(of vector: [Float]) -> HalfVector {
        HalfVector(
            bytes: [UInt8](unsafeUninitializedCapacity: 2 * vector.count) { buffer, count in
                guard let base = buffer.baseAddress else { return }
                kernels.table.pointee.convert_f32_f16(vector, vector.count, base)
                count = 2 * vector.count
            }
        )
    }

    /// The vector scaled to length 1.
    ///
    /// - Throws: `.dimension`, `.notFinite`, `.zeroVector`.
    func normalised(_ vector: [Float]) throws(IndexError) -> [Float] {
        guard vector.count == dimension else { throw .dimension(got: vector.count, expected: dimension) }
        var largest: Float = 0
        var squares = 0.0
        guard CIndexKernels_measure_f32(vector, dimension, &largest, &squares) else { throw .notFinite }
        guard largest > 0 else { throw .zeroVector }
        // Vectors come with length 1 but for rounding; scaling those again would only make equal ones differ.
        if abs(squares - 1) < 1e-5 { return vector }
        let scale = 1 / squares.squareRoot()
        return vector.map { Float(Double($0) * scale) }
    }
}
