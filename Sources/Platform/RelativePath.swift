/// A path below a root as the kernel has it: bytes, any encoding, components split by `/`, neither first nor last byte `/`.
///
/// File names on Linux are bytes; a `String` would repair what is not UTF-8 and then name no file at all.
package struct RelativePath: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The bytes, without a terminating zero. Empty for the root itself.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) { self.bytes = bytes }

    package init(_ text: String) { bytes = Array(text.utf8) }

    /// The root itself.
    package static let root = RelativePath(bytes: [])

    /// This directory's entry of that name.
    package func appending(_ name: [UInt8]) -> RelativePath {
        RelativePath(bytes: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
    }

    /// The last component.
    package var name: ArraySlice<UInt8> {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return bytes[...] }
        return bytes[(slash + 1)...]
    }

    /// The directory that holds the last component; the root for a single component.
    package var parent: RelativePath {
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return .root }
        return RelativePath(bytes: Array(bytes[..<slash]))
    }

    /// Whether this path is `directory` or lies below it.
    package func isWithin(_ directory: RelativePath) -> Bool {
        directory.bytes.isEmpty || bytes == directory.bytes
            || (bytes.starts(with: directory.bytes) && bytes[directory.bytes.count] == UInt8(ascii: "/"))
    }

    /// For people: UTF-8, with replacement characters where the name is not.
    package var description: String { String(decoding: bytes, as: UTF8.self) }

    package static func < (a: RelativePath, b: RelativePath) -> Bool { a.bytes.lexicographicallyPrecedes(b.bytes) }

    /// Scoped access as a zero-terminated C string; the root is `.`.
    package func withCString<R>(_ body: (UnsafePointer<CChar>) -> R) -> R {
        let terminated = (bytes.isEmpty ? [UInt8(ascii: ".")] : bytes) + [0]
        return terminated.withUnsafeBytes { raw in
            // SAFETY: the array is never empty, ends in zero and outlives the call.
            body(raw.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped)
        }
    }
}
