internal import Platform

/// A census of a root: the entry counts of each folder and their running total, so that the status accounts for every
/// entry at any moment without a walk.
///
/// A directory scan counts what it lists; between scans an event of an entry that is no image has its folder counted
/// anew. A folder that cannot be entered (unreadable, another file system) is kept under its own path with one entry.
/// Memory: about 150 bytes and the path, for each folder.
struct Census: Sendable {
    private struct Folder {
        var counts: EntryCounts
        /// The scan that counted it last.
        var pass: UInt32
    }

    private var folders: [RelativePath: Folder] = [:]
    private(set) var total = EntryCounts()
    private var pass: UInt32 = 0

    /// Begins a scan of some folders; `finishPass` follows.
    mutating func beginPass() { pass &+= 1 }

    /// Notes what a folder holds now.
    mutating func count(_ folder: RelativePath, _ counts: EntryCounts) {
        let old = folders.updateValue(Folder(counts: counts, pass: pass), forKey: folder)
        if let old { total -= old.counts }
        total += counts
    }

    /// Forgets the folders at and below `folder` that the scan since `beginPass` did not meet.
    ///
    /// - Complexity: O(folders).
    mutating func finishPass(below folder: RelativePath) {
        removeAll { [pass] in $0.isWithin(folder) && $1.pass != pass }
    }

    /// Forgets a folder and all below it.
    ///
    /// - Complexity: O(folders).
    mutating func remove(_ folder: RelativePath) { removeAll { path, _ in path.isWithin(folder) } }

    private mutating func removeAll(where isGone: (RelativePath, Folder) -> Bool) {
        for (path, folder) in folders where isGone(path, folder) {
            total -= folder.counts
            folders[path] = nil
        }
    }
}
