internal import Catalog
internal import Foundation
internal import Glibc
internal import Platform

/// The folders that a collection watches, whatever the model: a store belongs to one model, the folders to the user.
///
/// One file: absolute paths as the kernel has them, each followed by a zero byte. Every store keeps its own numbers for
/// roots; when the daemon opens one, it is brought in line with this list.
final class RootListFile: Sendable {
    private struct State {
        /// What the file holds.
        var stored: [UInt8]?
        var isClosed = false
    }

    private let file: String
    /// Writers take turns: two requests that add folders must not write the same temporary file.
    private let state = Monitor(State())

    init(file: String) { self.file = file }

    /// Makes the store's roots those of the list; a first start takes the store's for the list.
    ///
    /// - Throws: `SystemError`, `CatalogError`, or `ConfigurationError` for a damaged list.
    func reconcile(_ catalog: Catalog) throws {
        guard FileManager.default.fileExists(atPath: file) else { return try save(catalog) }
        let bytes = try OwnedDescriptor.open(file, O_RDONLY).readAll(limit: 16 << 20)
        let paths = bytes.split(separator: 0).map { RelativePath(bytes: Array($0)) }
        guard bytes.isEmpty || bytes.last == 0, paths.allSatisfy({ $0.bytes.first == UInt8(ascii: "/") }) else {
            throw ConfigurationError("\(file) is damaged; delete it and add the folders again with `likeness watch`")
        }
        state.withLockNotifyingAll { $0.stored = bytes }
        let wanted = Set(paths)
        let present = try catalog.roots()
        for root in present where !wanted.contains(root.path) { try catalog.removeRoot(root.id) }
        for path in wanted.subtracting(present.map(\.path)) { _ = try catalog.addRoot(path) }
    }

    /// Stores the catalog's roots as the list, durably; writes nothing when that is what the list holds, or after
    /// `close`.
    func save(_ catalog: Catalog) throws {
        try state.withLockNotifyingAll { (state: inout State) throws in
            guard !state.isClosed else { return }
            let bytes: [UInt8] = try catalog.roots().map(\.path).sorted().flatMap { path in path.bytes + [0] }
            guard bytes != state.stored else { return }
            try DurableFile.replace(file, with: bytes)
            state.stored = bytes
        }
    }

    /// Lets the file be: its folder may soon be another collection's.
    func close() { state.withLockNotifyingAll { $0.isClosed = true } }
}
