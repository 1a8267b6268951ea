internal import Catalog
internal import Foundation
internal import Glibc
internal import Platform

/// The folders to watch, whatever the model: a collection belongs to one model, the folders to the user.
///
/// One file in the state folder: absolute paths as the kernel has them, each followed by a zero byte. Every collection keeps
/// its own numbers for roots; when the daemon opens one, it is brought in line with this list.
final class RootList: Sendable {
    private let file: String
    /// What the file holds. Writers take turns: two requests that add folders must not write the same temporary file.
    private let stored = Monitor<[UInt8]?>(nil)

    init(stateDirectory: String) { file = "\(stateDirectory)/roots" }

    /// Makes the collection's roots those of the list; a first start takes the collection's for the list.
    ///
    /// - Throws: `SystemError`, `CatalogError`, or `ConfigurationError` for a damaged list.
    func reconcile(_ catalog: Catalog) throws {
        guard FileManager.default.fileExists(atPath: file) else { return try save(catalog) }
        let bytes = try OwnedDescriptor.open(file, O_RDONLY).readAll(limit: 16 << 20)
        let paths = bytes.split(separator: 0).map { RelativePath(bytes: Array($0)) }
        guard bytes.isEmpty || bytes.last == 0, paths.allSatisfy({ $0.bytes.first == UInt8(ascii: "/") }) else {
            throw ConfigurationError("\(file) is damaged; delete it and add the folders again with `likeness watch`")
        }
        stored.update { $0 = bytes }
        let wanted = Set(paths)
        let present = try catalog.roots()
        for root in present where !wanted.contains(root.path) { try catalog.removeRoot(root.id) }
        for path in wanted.subtracting(present.map(\.path)) { _ = try catalog.addRoot(path) }
    }

    /// Stores the collection's roots as the list, durably; writes nothing when that is what the list holds.
    func save(_ catalog: Catalog) throws {
        let failure = stored.update { stored -> (any Error)? in
            do {
                let bytes: [UInt8] = try catalog.roots().map(\.path).sorted().flatMap { path in path.bytes + [0] }
                guard bytes != stored else { return nil }
                try DurableFile.replace(file, with: bytes)
                stored = bytes
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
    }
}
