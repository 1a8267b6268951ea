internal import CPlatform

/// CRC-32C (Castagnoli; RFC 3720 section 12.1): LMDB keeps no checksums, so records carry their own.
package enum CRC32C {
    /// The checksum of `bytes`, or of what `previous` covers followed by `bytes`.
    package static func checksum(_ bytes: RawSpan, continuing previous: UInt32 = 0) -> UInt32 {
        bytes.withUnsafeBytes { CPlatform_crc32c(previous, $0.baseAddress, $0.count) }
    }
}
