package import Catalog
package import Platform

/// A directory that is the daemon's own, such as its state folder: nothing in it is anybody's image.
package struct ExcludedDirectory: Sendable {
    /// Absolute, without symbolic links.
    package let path: RelativePath
    package let device: UInt64
    package let inode: UInt64

    /// - Throws: `SystemError` when there is no such directory.
    package init(_ path: String) throws(SystemError) {
        self.path = try resolvedPath(path)
        let identity = try OwnedDescriptor.openPlace(self.path).identity()
        (device, inode) = (identity.device, identity.inode)
    }
}

/// A folder as somebody names it, and where that leads: names are compared by where they lead.
package struct RootLocation: Sendable {
    /// Absolute and lexically normalised: without `.`, `..`, doubled and trailing slashes. Symbolic links stay, so that one with
    /// another target is followed.
    package let path: RelativePath
    /// Without symbolic links; nil where nothing is there that can be told.
    package let resolved: RelativePath?

    /// - Parameter text: absolute.
    package init(_ text: String) { self.init(RelativePath(text)) }

    /// - Parameter path: absolute.
    package init(_ path: RelativePath) {
        let path = Self.normalised(path)
        self.path = path
        do throws(SystemError) { resolved = try resolvedPath(path) } catch { resolved = nil }
    }

    private static func normalised(_ path: RelativePath) -> RelativePath {
        var parts: [ArraySlice<UInt8>] = []
        for part in path.bytes.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
        }
        return RelativePath(bytes: [UInt8(ascii: "/")] + Array(parts.joined(separator: [UInt8(ascii: "/")])))
    }

    /// Whether it names that root: by the same path, or by another that leads to the same place.
    package func names(_ root: RootRecord) -> Bool {
        if path == root.path { return true }
        guard let resolved else { return false }
        return resolved == (RootLocation(root.path).resolved ?? root.path)
    }

    /// Whether one of both folders lies in the other, or both are one. A root that is away has only its name to go by.
    package func overlaps(_ root: RootRecord) -> Bool {
        let other = RootLocation(root.path)
        if let mine = resolved, let theirs = other.resolved { return Self.overlap(mine, theirs) }
        return Self.overlap(path, root.path) || (resolved.map { Self.overlap($0, root.path) } ?? false)
    }

    /// The path below that root; nil when it does not lie in it. What lies there need not be there any more.
    package func place(in root: RootRecord) -> RelativePath? {
        if let below = Self.below(path, root.path) { return below }
        guard let resolved, let top = RootLocation(root.path).resolved else { return nil }
        return Self.below(resolved, top)
    }

    private static func below(_ path: RelativePath, _ folder: RelativePath) -> RelativePath? {
        guard path.isWithin(folder) else { return nil }
        return RelativePath(bytes: Array(path.bytes.dropFirst(folder.bytes.count).drop { $0 == UInt8(ascii: "/") }))
    }

    static func overlap(_ a: RelativePath, _ b: RelativePath) -> Bool {
        // Every path lies within `/`, whose bytes end in the slash that parts are compared at.
        a.bytes == [UInt8(ascii: "/")] || b.bytes == [UInt8(ascii: "/")] || a.isWithin(b) || b.isWithin(a)
    }
}

extension OpenRoot {
    /// Why the directory can be no root, whatever its path is: nil when it can be one.
    func refusal(excluding excluded: [ExcludedDirectory]) -> IngestionError? {
        let path = record.path.description
        if let top = Self.identity(at: "/"), resolvedPath.bytes == [UInt8(ascii: "/")] || isAt(top) {
            return .wholeSystem(path: path)
        }
        if let name = fileSystem.kernelName { return .kernelFileSystem(path: path, name: name) }
        // devtmpfs calls itself tmpfs. What is mounted below, such as /dev/shm, is another device.
        if let devices = Self.identity(at: "/dev"), devices.device == identity.device,
            resolvedPath.isWithin(RelativePath("/dev"))
        {
            return .kernelFileSystem(path: path, name: "dev")
        }
        if let state = excluded.first(where: { resolvedPath.isWithin($0.path) || isAt($0.device, $0.inode) }) {
            return .insideStateFolder(path: path, state: state.path.description)
        }
        return nil
    }

    private func isAt(_ other: DirectoryIdentity) -> Bool { isAt(other.device, other.inode) }

    private func isAt(_ device: UInt64, _ inode: UInt64) -> Bool {
        identity.device == device && identity.inode == inode
    }

    private static func identity(at path: String) -> DirectoryIdentity? {
        do throws(SystemError) {
            return try OwnedDescriptor.openPlace(RelativePath(path)).identity()
        } catch {
            return nil
        }
    }
}
