internal import Glibc

/// The mount table of this process, `/proc/self/mountinfo`: no watch of a directory tells that something was mounted over one
/// of those below it, or went from there.
package final class MountTable: Sendable {
    /// One line of the table.
    package struct Mount: Hashable, Sendable {
        /// Where it is mounted: absolute.
        package let path: RelativePath
        /// The whole line: two mounts at one path differ in it, mostly.
        let line: [UInt8]
    }

    private let file: OwnedDescriptor
    private let known: Monitor<Set<Mount>>
    private static let path = "/proc/self/mountinfo"
    private static let limit = 16 << 20

    /// - Throws: `SystemError` where there is no such table.
    package init() throws(SystemError) {
        file = try OwnedDescriptor.open(Self.path, O_RDONLY)
        known = Monitor(try Self.read())
    }

    /// Paths at which something was mounted or unmounted since the last call; of a change that cannot be made out, all of them.
    ///
    /// - Complexity: one call of the kernel where nothing changed.
    package func changes() -> Set<RelativePath> {
        known.withLockNotifyingAll { known in
            // The kernel tells each reader of the table once that it changed (`proc(5)`).
            var descriptor = pollfd(fd: file.rawValue, events: Int16(POLLPRI), revents: 0)
            guard poll(&descriptor, 1, 0) > 0, descriptor.revents & Int16(POLLPRI | POLLERR) != 0 else { return [] }
            let found: Set<Mount>
            do throws(SystemError) { found = try Self.read() } catch { return [] }
            defer { known = found }
            let changed = known.symmetricDifference(found)
            return Set((changed.isEmpty ? found : changed).map(\.path))
        }
    }

    private static func read() throws(SystemError) -> Set<Mount> {
        parse(try OwnedDescriptor.open(path, O_RDONLY).readAll(limit: limit))
    }

    /// The fifth field of each line is the path, with blanks and the like as `\` and three octal digits.
    static func parse(_ text: [UInt8]) -> Set<Mount> {
        var mounts: Set<Mount> = []
        for line in text.split(separator: UInt8(ascii: "\n")) {
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count == 6 else { continue }
            mounts.insert(Mount(path: RelativePath(bytes: unescaped(fields[4])), line: Array(line)))
        }
        return mounts
    }

    private static func unescaped(_ field: ArraySlice<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = field
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3, digits.allSatisfy({ (0x30...0x37).contains($0) }) {
                bytes.append(digits.reduce(0) { $0 << 3 | ($1 - 0x30) })
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
