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
