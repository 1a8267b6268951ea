/// CRC-32C (Castagnoli; RFC 3720 section 12.1): LMDB keeps no checksums, so records carry their own.
package enum CRC32C {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }

    /// The checksum of `bytes`, or of what `previous` covers followed by `bytes`.
    package static func checksum(_ bytes: RawSpan, continuing previous: UInt32 = 0) -> UInt32 {
        let table = table.span
        return bytes.withUnsafeBytes { buffer in
            ~buffer.reduce(~previous) { value, byte in table[Int(UInt8(truncatingIfNeeded: value) ^ byte)] ^ value >> 8
            }
        }
    }
}
