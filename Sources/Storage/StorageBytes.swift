internal import Glibc

/// What can be a key or a value: bytes in scope of a closure.
///
/// Integers give their native representation, aligned, as `integerKey` and `integerDuplicates` databases need it.
package protocol StorageBytes: ~Escapable {
    func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R
}

extension RawSpan: StorageBytes {
    package func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R { body(self) }
}

extension [UInt8]: StorageBytes {
    package func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R { body(span.bytes) }
}

extension String: StorageBytes {
    package func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R { Array(utf8).withStorageBytes(body) }
}

extension UInt32: StorageBytes {
    package func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R {
        withUnsafeBytes(of: self) { body($0.bytes) }
    }
}

extension UInt64: StorageBytes {
    package func withStorageBytes<R>(_ body: (RawSpan) -> R) -> R {
        withUnsafeBytes(of: self) { body($0.bytes) }
    }
}

extension RawSpan {
    /// The little-endian integer at `offset`, wherever that is aligned; nil when it does not lie within.
    package func integer<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T? {
        let width = MemoryLayout<T>.size
        guard offset >= 0, byteCount >= width, offset <= byteCount - width else { return nil }
        // SAFETY: the bounds were just checked; every bit pattern is an integer.
        return T(littleEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// A copy of the bytes in `range`; nil when they do not lie within.
    package func copy(_ range: Range<Int>) -> [UInt8]? {
        guard range.lowerBound >= 0, range.upperBound <= byteCount else { return nil }
        return extracting(range).withUnsafeBytes { Array($0) }
    }

    /// Whether it comes before `other` in byte order, the order of LMDB's keys.
    package func precedes(_ other: RawSpan) -> Bool {
        let common = min(byteCount, other.byteCount)
        let order = withUnsafeBytes { mine in
            other.withUnsafeBytes { theirs in
                // SAFETY: both have `common` bytes; without any, nothing is read and the order is equal.
                guard common > 0, let a = mine.baseAddress, let b = theirs.baseAddress else { return Int32(0) }
                return memcmp(a, b, common)
            }
        }
        return order == 0 ? byteCount < other.byteCount : order < 0
    }

    /// A copy of all bytes.
    package var copied: [UInt8] { withUnsafeBytes { Array($0) } }

    /// Whether the first bytes are these.
    package func starts(with prefix: RawSpan) -> Bool {
        guard prefix.byteCount <= byteCount else { return false }
        return withUnsafeBytes { bytes in prefix.withUnsafeBytes { bytes.starts(with: $0) } }
    }
}
