internal import Catalog
internal import Platform

extension Scanner {
    /// Watches a file that has several names (hard links) by itself: a write through another name, which may lie outside of all
    /// roots, sends no event to this one's directory.
    ///
    /// - Parameters:
    ///   - key: one of its names.
    ///   - status: what lies there; nil: nothing does.
    ///   - root: of the name.
    /// - Returns: false when it could not be watched.
    @discardableResult
    func watchNames(of key: FileKey, _ status: FileStatus?, in root: OpenRoot) -> Bool {
        guard let table = watcher?.table else { return true }
        guard let status, status.kind == .regular, status.linkCount > 1 else {
            table.removeName(key)
            return true
        }
        do throws(SystemError) {
            if try table.add(file: root.openForLook(beneath: key.path), named: key) { return true }
        } catch {
            log.debug("\(key.path): \(error)")
            // One that is gone or may not be read needs no watch.
            guard error.saysExhausted else { return true }
        }
        workQueue.update { $0.linksUnwatched(in: key.root, at: .now) }
        return false
    }
}
