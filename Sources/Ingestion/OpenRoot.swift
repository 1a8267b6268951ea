internal import Catalog
internal import Platform

/// A root's directory, held open: what is opened beneath it is found whatever happens to the path above.
final class OpenRoot: Sendable {
    let record: RootRecord
    let directory: OwnedDescriptor
    /// Of the directory, when it was opened.
    let status: FileStatus
    /// Changes by others come without events.
    let isNetworked: Bool

    private init(record: RootRecord, directory: consuming OwnedDescriptor, status: FileStatus, isNetworked: Bool) {
        self.record = record
        self.directory = directory
        self.status = status
        self.isNetworked = isNetworked
    }

    static func open(_ record: RootRecord) throws(SystemError) -> OpenRoot {
        let top = try OwnedDescriptor.open("/", 0)
        let path = RelativePath(bytes: Array(record.path.bytes.drop { $0 == UInt8(ascii: "/") }))
        let directory = try top.openDirectory(beneath: path)
        let status = try directory.status()
        let isNetworked = directory.isOnNetworkFileSystem
        return OpenRoot(record: record, directory: directory, status: status, isNetworked: isNetworked)
    }

    /// Whether both are one directory, not two that had the path one after the other.
    func isSame(as other: OpenRoot) -> Bool {
        status.device == other.status.device && status.inode == other.status.inode
    }

    /// What the scan compares other directories with.
    var identity: FileStatus { status }

    /// Whether a directory below is one that the daemon keeps for itself.
    func excludes(_ directory: FileStatus) -> Bool { false }

    func openDirectory(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try directory.openDirectory(beneath: path)
    }

    func status(beneath path: RelativePath) throws(SystemError) -> FileStatus? {
        try directory.status(beneath: path)
    }

    /// Whether nothing is at a path, for certain: an error is no proof of absence.
    func lacks(_ path: RelativePath) -> Bool {
        do throws(SystemError) {
            return try directory.status(beneath: path) == nil
        } catch {
            return false
        }
    }

    /// Whether nothing lies in it but what a file system or desktop puts there by itself: what an unmounted disk leaves.
    func isEmpty() throws(SystemError) -> Bool {
        var isEmpty = true
        try directory.forEachEntry { entry in
            isEmpty = entry.name.first == UInt8(ascii: ".") || KnownNames.isPrivate(entry.name[...])
            return isEmpty
        }
        return isEmpty
    }
}
