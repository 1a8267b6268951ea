internal import Platform

/// Decides what each entry below a root is: the one place where kind, rules, depth and identity meet, for scans, counts,
/// look-ups and lists alike.
///
/// The kind of an entry comes first (a link is `link` and a pipe is `special` whatever they are called), its place next
/// (`too_deep`), its name and the patterns last. It reads the disk; nothing of it runs under a lock.
struct EntryClassifier {
    /// What an entry is by its kind, place and name. Its size is not looked at.
    enum Entry: Equatable {
        case image, document, folder
        case excluded(ExclusionReason)
    }

    /// What became of an attempt to enter a folder.
    enum Opening: ~Copyable {
        /// It may be listed; the stack holds for what lies in it.
        case entered(OwnedDescriptor, FileStatus, IgnoreStack)
        case excluded(ExclusionReason)
        /// A `.nomedia` in it excludes it, as long as it is there.
        case marked(OwnedDescriptor)
        /// It is gone, or no folder any more.
        case absent
    }

    /// Paths are passed to the kernel with a terminating zero in at most 4,096 bytes (`PATH_MAX`).
    private static let longestPath = 4095
    private static let log = Log("scan")

    let root: OpenRoot
    let rules: PathRules
    /// Stacks of folders that were asked for one by one; nil for those that are excluded.
    private var stacks: [RelativePath: IgnoreStack?] = [:]

    init(_ root: OpenRoot, _ rules: PathRules) {
        self.root = root
        self.rules = rules
    }

    // MARK: Folders

    /// Opens a folder for listing, with the ignore files that hold in it.
    ///
    /// - Parameters:
    ///   - folder: below the root.
    ///   - stack: of the folder above; nil for the root.
    /// - Returns: the open folder, or why it is not listed.
    func enter(_ folder: RelativePath, below stack: IgnoreStack?) -> Opening {
        do throws(SystemError) {
            let directory = try root.openDirectory(beneath: folder)
            let status = try directory.status()
            if status.device != root.identity.device, !rules.settings.otherFileSystems {
                return .excluded(.otherFileSystem)
            }
            if root.excludes(status) { return .excluded(.rule) }
            guard let inside = inside(directory, folder, below: stack) else { return .marked(directory) }
            return .entered(directory, status, inside)
        } catch {
            if error.saysNameTooLong { return .excluded(.tooDeep) }
            return error.saysAbsent ? .absent : .excluded(.unreadableFolder)
        }
    }

    /// The stack that holds in an open folder; nil where a `.nomedia` excludes it.
    private func inside(
        _ directory: borrowing OwnedDescriptor,
        _ folder: RelativePath,
        below stack: IgnoreStack?
    ) -> IgnoreStack? {
        let above = stack ?? IgnoreStack()
        guard rules.settings.ignoreFiles else { return above }
        var file: IgnoreFile?
        do {
            if try directory.status(ofEntry: Array(IgnoreFile.markerName.utf8))?.kind == .regular { return nil }
            let opened = try directory.openFile(beneath: RelativePath(IgnoreFile.name))
            if try opened.status().kind == .regular {
                file = try IgnoreFile(try opened.readAll(limit: IgnoreFile.maximumByteCount))
            }
        } catch let error as SystemError where error.saysAbsent {
            // Most folders have none.
        } catch {
            Self.log.warning("\(folder.appending(Array(IgnoreFile.name.utf8))) cannot be used: \(error)")
        }
        return above.entering(folder, file)
    }

    /// The stack that holds in a folder, read from the root downward; nil where the folder is excluded.
    ///
    /// - Complexity: O(depth), and less for a folder beside one that was asked for before.
    mutating func stack(of folder: RelativePath) -> IgnoreStack? {
        if let known = stacks[folder] { return known }
        // What many folders cost is bounded; a pass in order of path asks for each once.
        if stacks.count >= 1024 { stacks.removeAll(keepingCapacity: true) }
        let found = readStack(of: folder)
        stacks[folder] = found
        return found
    }

    private mutating func readStack(of folder: RelativePath) -> IgnoreStack? {
        var above: IgnoreStack?
        if folder != .root {
            guard let parent = stack(of: folder.parent),
                classify(.directory, folder, parent) == .folder
            else { return nil }
            above = parent
        }
        // Nothing is known of what an unreadable folder holds, or nothing is there: that decides elsewhere.
        let unknown = above ?? IgnoreStack()
        switch enter(folder, below: above) {
        case .entered(_, _, let stack): return stack
        case .excluded(let reason): return reason == .unreadableFolder ? unknown : nil
        case .marked: return nil
        case .absent: return unknown
        }
    }

    // MARK: Entries

    /// Classifies an entry that a listing found; nil when it is gone again.
    func classify(
        _ entry: DirectoryEntry,
        in directory: borrowing OwnedDescriptor,
        _ path: RelativePath,
        _ stack: IgnoreStack
    ) -> Entry? {
        guard let kind = entry.kind ?? Self.kind(of: entry.name, in: directory) else { return nil }
        return classify(kind, path, stack)
    }

    /// Classifies what lies at a path.
    ///
    /// - Parameters:
    ///   - kind: from `lstat`.
    ///   - path: below the root.
    ///   - stack: of the folder that holds it.
    /// - Returns: what it is; a folder is one that may be entered.
    func classify(_ kind: FileStatus.Kind, _ path: RelativePath, _ stack: IgnoreStack) -> Entry {
        switch kind {
        case .symbolicLink: return .excluded(.link)
        case .other: return .excluded(.special)
        case .directory, .regular: break
        }
        if path.bytes.count > Self.longestPath { return .excluded(.tooDeep) }
        let isFolder = kind == .directory
        switch rules.verdict(path, isFolder: isFolder, stack) {
        case .enter: return path.depth > rules.settings.maximumDepth ? .excluded(.tooDeep) : .folder
        case .candidate: return .image
        case .sidecar: return .document
        case .excluded(let reason): return .excluded(reason)
        }
    }

    /// Whether the rules leave out a file of that status by its size.
    func isTooSmall(_ status: FileStatus) -> Bool { status.byteCount < UInt64(rules.settings.minimumBytes) }

    private static func kind(of name: [UInt8], in directory: borrowing OwnedDescriptor) -> FileStatus.Kind? {
        do throws(SystemError) {
            return try directory.status(ofEntry: name)?.kind
        } catch {
            // Its folder may be listed and not searched: the reader says why.
            return .regular
        }
    }
}

extension RelativePath {
    /// Folders between the root and this path, itself counted: 0 for the root.
    var depth: Int { bytes.isEmpty ? 0 : bytes.reduce(1) { $1 == UInt8(ascii: "/") ? $0 + 1 : $0 } }
}
