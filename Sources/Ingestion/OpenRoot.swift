internal import Catalog
internal import Platform

/// A root that is online: its record, and the object identity of the directory that was seen at its path.
///
/// Nothing is held open, so that its file system can be unmounted. Every access opens the path anew, checks that the same
/// directory stands there, and closes what it opened when it ends; that costs two calls of the kernel. An access that meets
/// another directory, or none, throws `ESTALE`: that a root is away never looks as if one of its files were.
final class OpenRoot: Sendable {
    let record: RootRecord
    /// What the scan compares other directories with.
    let identity: DirectoryIdentity
    let fileSystem: FileSystemIdentity
    /// Where the path leads, without symbolic links.
    let resolvedPath: RelativePath
    private let excluded: [ExcludedDirectory]

    /// Finds what stands at a root's path now.
    ///
    /// - Parameters:
    ///   - record: of the root.
    ///   - excluded: directories that are the daemon's own.
    /// - Throws: `SystemError` when no directory can be opened there.
    init(finding record: RootRecord, excluding excluded: [ExcludedDirectory]) throws(SystemError) {
        let top = try OwnedDescriptor.openPlace(record.path)
        identity = try top.identity()
        fileSystem = try top.fileSystem()
        resolvedPath = try Platform.resolvedPath(record.path)
        self.record = record
        self.excluded = excluded
    }

    /// Changes by others come without events.
    var isNetworked: Bool { fileSystem.isNetworked }

    /// Whether both are one directory, not two that had the path one after the other.
    func isSame(as other: OpenRoot) -> Bool { identity == other.identity }

    /// What is stored of the identity.
    var storedIdentity: RootIdentity {
        RootIdentity(inode: identity.inode, born: identity.born, fileSystem: fileSystem.number)
    }

    /// Whether this is for certain the directory of a stored identity. Without number and time of creation nobody can tell.
    func isKnown(as stored: RootIdentity?) -> Bool {
        stored == storedIdentity && (identity.born != 0 || fileSystem.number != 0)
    }

    /// Whether a directory below is one that the daemon keeps for itself.
    func excludes(_ directory: FileStatus) -> Bool {
        excluded.contains { $0.device == directory.device && $0.inode == directory.inode }
    }

    // MARK: Access

    /// Opens the directory for the time of one access.
    ///
    /// - Throws: `ESTALE` when another directory stands there, or none that can be opened.
    private func directory() throws(SystemError) -> OwnedDescriptor {
        do throws(SystemError) {
            let found = try OwnedDescriptor.openPlace(record.path)
            if try found.identity() == identity { return found }
        } catch {
            // Short of descriptors or memory: that says nothing of what stands there.
            if error.saysExhausted { throw error }
        }
        throw SystemError(code: SystemError.stale, operation: "open \(record.path)")
    }

    /// Whether the directory still stands at the path. A lack of descriptors is no reason to doubt it.
    var stands: Bool {
        do throws(SystemError) {
            _ = try directory()
            return true
        } catch {
            return error.saysExhausted
        }
    }

    func openDirectory(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try directory().openDirectory(beneath: path)
    }

    func openFile(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try directory().openFile(beneath: path)
    }

    /// Opens a file for watches only.
    func openForLook(beneath path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        try directory().openForLook(beneath: path)
    }

    /// - Returns: nil when nothing is there.
    func status(beneath path: RelativePath) throws(SystemError) -> FileStatus? {
        try directory().status(beneath: path)
    }

    /// Whether nothing is at a path, for certain: an error is no proof of absence.
    func lacks(_ path: RelativePath) -> Bool {
        do throws(SystemError) {
            return try status(beneath: path) == nil
        } catch {
            return false
        }
    }

    /// Whether nothing lies in it but what a file system or desktop puts there by itself: what an unmounted disk leaves.
    func isEmpty() throws(SystemError) -> Bool {
        var isEmpty = true
        try directory().forEachEntry { entry in
            isEmpty = entry.name.first == UInt8(ascii: ".") || KnownNames.isPrivate(entry.name[...], isFolder: true)
            return isEmpty
        }
        return isEmpty
    }
}
