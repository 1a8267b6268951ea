internal import Platform

/// A root's settings, compiled: what a name, its place and the ignore files say of an entry. It reads no disk.
///
/// What comes first decides: a hidden name, a name that other programs keep for themselves, the patterns of `exclude`, the
/// ignore files, the patterns of `include`, and at last the file name extension.
struct PathRules: Sendable {
    enum Verdict: Sendable, Equatable {
        /// Look at the bytes.
        case candidate
        /// `*.json`: the document of an image beside it, or nothing.
        case sidecar
        /// A folder to be listed.
        case enter
        case excluded(ExclusionReason)
    }

    let settings: RootSettings
    private let exclude: GlobList
    private let include: GlobList

    /// - Parameter settings: validated; patterns that are none are left out.
    init(_ settings: RootSettings = RootSettings()) {
        self.settings = settings
        exclude = GlobList(settings.exclude.compactMap { GlobPattern(line: $0.utf8) })
        include = GlobList(settings.include.compactMap { GlobPattern(line: $0.utf8) })
    }

    /// - Parameters:
    ///   - path: below the root.
    ///   - isFolder: of what lies there.
    ///   - stack: of the folder that holds it.
    /// - Returns: for a folder `.enter` or why not; for a file what to do with it.
    func verdict(_ path: RelativePath, isFolder: Bool, _ stack: IgnoreStack) -> Verdict {
        let name = path.name
        if name.first == UInt8(ascii: "."), !settings.hidden { return .excluded(.hidden) }
        if settings.bins, isPrivate(path, isFolder: isFolder) { return .excluded(.rule) }
        if exclude.excludes(path.bytes[...], isFolder: isFolder) == true { return .excluded(.rule) }
        if stack.excludes(path, isFolder: isFolder) { return .excluded(.rule) }
        if isFolder { return .enter }
        if !include.isEmpty, !isIncluded(path) { return .excluded(.rule) }
        switch KnownNames.kind(ofFile: name) {
        case .document: return .sidecar
        case .other: return .excluded(.notAnImage)
        case .unknown: return .candidate
        }
    }

    private func isPrivate(_ path: RelativePath, isFolder: Bool) -> Bool {
        KnownNames.isPrivate(path.name, isFolder: isFolder) || isFolder && KnownNames.isLibraryCache(path)
    }

    /// Whether the settings alone leave out a file, whatever lies on the disk.
    func leavesOut(_ path: RelativePath) -> Bool {
        switch verdict(path, isFolder: false, IgnoreStack()) {
        case .candidate, .sidecar, .enter: false
        case .excluded: true
        }
    }

    /// Whether the settings alone keep a folder, or one above it, from being entered.
    ///
    /// - Complexity: O(depth).
    func leavesOut(folder: RelativePath) -> Bool {
        guard folder != .root else { return false }
        if folder.depth > settings.maximumDepth { return true }
        return verdict(folder, isFolder: true, IgnoreStack()) != .enter || leavesOut(folder: folder.parent)
    }

    /// Whether `include` matches the file or a folder on the way to it.
    private func isIncluded(_ path: RelativePath) -> Bool {
        if let verdict = include.excludes(path.bytes[...], isFolder: false) { return verdict }
        var folder = path.parent
        while folder != .root {
            if let verdict = include.excludes(folder.bytes[...], isFolder: true) { return verdict }
            folder = folder.parent
        }
        return false
    }
}
