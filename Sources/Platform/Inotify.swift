internal import CPlatform
internal import Glibc

/// The kernel's news about directories; it is not recursive and may lose events, which it says.
///
/// `add` and `remove` may be called from any thread; `waitUntilReadable` and `read` from one.
package final class Inotify: Sendable {
    /// What happened, as `inotify(7)` names it without `IN_`.
    package struct Change: OptionSet, Hashable, Sendable {
        package let rawValue: UInt32

        package init(rawValue: UInt32) { self.rawValue = rawValue }

        package static let modified = Change(rawValue: 0x2)
        package static let attributes = Change(rawValue: 0x4)
        package static let closedAfterWriting = Change(rawValue: 0x8)
        package static let movedFrom = Change(rawValue: 0x40)
        package static let movedTo = Change(rawValue: 0x80)
        package static let created = Change(rawValue: 0x100)
        package static let deleted = Change(rawValue: 0x200)
        package static let deletedSelf = Change(rawValue: 0x400)
        package static let movedSelf = Change(rawValue: 0x800)
        package static let unmounted = Change(rawValue: 0x2000)
        /// Events were lost; the watch number is -1.
        package static let overflowed = Change(rawValue: 0x4000)
        /// The watch is gone.
        package static let ignored = Change(rawValue: 0x8000)
        /// The name is a directory's.
        package static let isDirectory = Change(rawValue: 0x4000_0000)
    }

    package struct Event: Hashable, Sendable {
        package var watch: Int32
        package var change: Change
        /// One component; empty for the watched directory itself.
        package var name: [UInt8]

        package init(watch: Int32, change: Change, name: [UInt8]) {
            self.watch = watch
            self.change = change
            self.name = name
        }
    }

    /// Everything above that can be asked for, only for directories (`IN_ONLYDIR`), without unlinked children (`IN_EXCL_UNLINK`).
    private static let mask: UInt32 = 0x2 | 0x4 | 0x8 | 0x40 | 0x80 | 0x100 | 0x200 | 0x400 | 0x800 | 0x0500_0000
    /// MODIFY, ATTRIB, CLOSE_WRITE of one file.
    private static let fileMask: UInt32 = 0x2 | 0x4 | 0x8
    private static let bufferByteCount = 256 << 10

    private let queue: OwnedDescriptor
    private let bell: OwnedDescriptor

    /// - Throws: `EMFILE` when this user has no instance left (`fs.inotify.max_user_instances`).
    package init() throws(SystemError) {
        let queue = OwnedDescriptor(
            owning: try retrying("inotify_init1") { inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC)) }
        )
        let bell = OwnedDescriptor(
            owning: try retrying("eventfd") { CPlatform_eventfd() }
        )
        self.queue = queue
        self.bell = bell
    }

    /// Watches an open directory. The same directory again gives the same number.
    ///
    /// The way goes through `/proc/self/fd`, so that the directory is the opened one whatever was renamed meanwhile.
    ///
    /// - Throws: `ENOSPC` when this user has no watch left (`fs.inotify.max_user_watches`).
    package func add(_ directory: borrowing OwnedDescriptor) throws(SystemError) -> Int32 {
        let path = "/proc/self/fd/\(directory.rawValue)"
        return try retrying("inotify_add_watch") { inotify_add_watch(queue.rawValue, path, Self.mask) }
    }

    /// Watches an open file: what happens to its bytes, through whichever of its names. Events have no name.
    ///
    /// - Throws: as `add`, and `EACCES` for a file that may not be read.
    package func add(file: borrowing OwnedDescriptor) throws(SystemError) -> Int32 {
        let path = "/proc/self/fd/\(file.rawValue)"
        return try retrying("inotify_add_watch") { inotify_add_watch(queue.rawValue, path, Self.fileMask) }
    }

    /// Ends a watch; an `.ignored` event follows. A number that is gone already is no error.
    package func remove(_ watch: Int32) { _ = inotify_rm_watch(queue.rawValue, watch) }

    /// Waits until events can be read or somebody called `wake`.
    ///
    /// - Returns: whether events can be read.
    package func waitUntilReadable() -> Bool {
        var descriptors = [
            pollfd(fd: queue.rawValue, events: Int16(POLLIN), revents: 0),
            pollfd(fd: bell.rawValue, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, 2, -1)
        return descriptors[0].revents != 0
    }

    /// Whether events can be read now.
    package var isReadable: Bool {
        var descriptor = pollfd(fd: queue.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0
    }

    /// Ends the present and every later wait.
    package func wake() {
        var one: UInt64 = 1
        _ = Glibc.write(bell.rawValue, &one, 8)
    }

    /// Takes what the kernel has; empty when there is nothing.
    package func read() throws(SystemError) -> [Event] {
        var buffer = [UInt8](repeating: 0, count: Self.bufferByteCount)
        let got = Glibc.read(queue.rawValue, &buffer, buffer.count)
        guard got >= 0 else {
            if errno == EAGAIN || errno == EINTR { return [] }
            throw SystemError.last("read inotify")
        }
        return Self.parse(buffer[..<got])
    }

    /// `struct inotify_event`: int32 watch, uint32 mask, uint32 cookie, uint32 length, then the name padded with zeros.
    private static func parse(_ bytes: ArraySlice<UInt8>) -> [Event] {
        func word(_ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
        }
        var events: [Event] = []
        var at = bytes.startIndex
        while at + 16 <= bytes.endIndex {
            let end = at + 16 + Int(word(at + 12))
            guard end <= bytes.endIndex else { break }
            events.append(
                Event(
                    watch: Int32(bitPattern: word(at)),
                    change: Change(rawValue: word(at + 4)),
                    name: Array(bytes[(at + 16)..<end].prefix { $0 != 0 })
                )
            )
            at = end
        }
        return events
    }
}
