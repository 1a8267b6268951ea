internal import Catalog
internal import Filters
internal import Foundation
internal import Glibc
internal import Ingestion
internal import Platform

/// The folders that a collection watches and their settings, whatever the model: a store belongs to one model, the folders
/// to the user.
///
/// Every store keeps its own numbers for roots; when the daemon opens one, it is brought in line with this list.
///
/// The file, version 2, is UTF-8 JSON: `{"version":2,"roots":[{"path":"/photos","settings":{"exclude":["raw/"]}}]}`, sorted
/// by path. `path_bytes`, in base64, is there too where the path is not UTF-8, and counts then. `settings` has the members of
/// `RootSettings` that a user set; it is absent where there are none. `paused` is true while a user wants nothing of the folder
/// loaded, else absent. Version 1, the absolute paths each followed by a zero
/// byte, is read, and written anew as version 2.
final class RootListFile: Sendable {
    private struct State {
        /// What the file holds.
        var stored: [UInt8]?
        /// What users set, by root.
        var settings: [RelativePath: [String: JSONValue]] = [:]
        /// Roots of which nothing is read for now.
        var paused: Set<RelativePath> = []
        var isClosed = false
    }

    private struct Content: Codable {
        var version = 2
        var roots: [Root]
    }

    private struct Root: Codable {
        var path: String
        var pathBytes: Data?
        var settings: [String: JSONValue]?
        var paused: Bool?

        enum CodingKeys: String, CodingKey {
            case path, settings, paused
            case pathBytes = "path_bytes"
        }

        init(_ path: RelativePath, _ settings: [String: JSONValue]? = nil, isPaused: Bool = false) {
            paused = isPaused ? true : nil
            self.path = path.description
            pathBytes = path == RelativePath(path.description) ? nil : Data(path.bytes)
            self.settings = settings.flatMap { $0.isEmpty ? nil : $0 }
        }

        var key: RelativePath { pathBytes.map { RelativePath(bytes: Array($0)) } ?? RelativePath(path) }
    }

    private static let maximumByteCount = 64 << 20

    private let file: String
    /// Writers take turns: two requests that add folders must not write the same temporary file.
    private let state = Monitor(State())

    init(file: String) { self.file = file }

    /// Makes the store's roots those of the list; a first start takes the store's for the list.
    ///
    /// - Throws: `SystemError`, `CatalogError`, or `ConfigurationError` for a damaged list or one of a newer version.
    func reconcile(_ catalog: Catalog) throws {
        guard FileManager.default.fileExists(atPath: file) else { return try save(catalog) }
        let bytes = try OwnedDescriptor.open(file, O_RDONLY).readAll(limit: Self.maximumByteCount)
        let list = try read(bytes)
        state.withLockNotifyingAll { state in
            state.stored = bytes
            state.settings = list.compactMapValues(\.settings)
            state.paused = Set(list.filter { $0.value.paused == true }.keys)
        }
        let present = try catalog.roots()
        for root in present where list[root.path] == nil { try catalog.removeRoot(root.id) }
        for path in Set(list.keys).subtracting(present.map(\.path)) { _ = try catalog.addRoot(path) }
        try save(catalog)
    }

    private func read(_ bytes: [UInt8]) throws(ConfigurationError) -> [RelativePath: Root] {
        var roots: [Root] = []
        if bytes.first == UInt8(ascii: "{") {
            guard let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)) else { throw damaged }
            guard content.version == 2 else {
                throw ConfigurationError("\(file) has version \(content.version); this program reads up to 2")
            }
            roots = content.roots
        } else {
            guard bytes.isEmpty || bytes.last == 0 else { throw damaged }
            roots = bytes.split(separator: 0).map { Root(RelativePath(bytes: Array($0))) }
        }
        guard roots.allSatisfy({ $0.key.bytes.first == UInt8(ascii: "/") }) else { throw damaged }
        for root in roots {
            var settings = RootSettings()
            do throws(RuleError) { try settings.apply(root.settings ?? [:]) } catch {
                throw ConfigurationError("\(file): settings of \(root.path): \(error)")
            }
        }
        return Dictionary(roots.map { ($0.key, $0) }) { first, _ in first }
    }

    private var damaged: ConfigurationError {
        ConfigurationError("\(file) is damaged; delete it and add the folders again with `likeness watch`")
    }

    /// What a user set for a root.
    func settings(of root: RelativePath) -> [String: JSONValue] { state.withLock { $0.settings[root] ?? [:] } }

    /// Keeps what a user set for a root; `save` follows.
    func set(_ settings: [String: JSONValue], of root: RelativePath) {
        state.withLockNotifyingAll { $0.settings[root] = settings }
    }

    /// Whether a user wants nothing of a root loaded for now.
    func isPaused(_ root: RelativePath) -> Bool { state.withLock { $0.paused.contains(root) } }

    /// Keeps that; `save` follows.
    func set(isPaused: Bool, of root: RelativePath) {
        state.withLockNotifyingAll { state in
            if isPaused { state.paused.insert(root) } else { state.paused.remove(root) }
        }
    }

    /// Stores the catalog's roots as the list, durably; writes nothing when that is what the list holds, or after
    /// `close`.
    func save(_ catalog: Catalog) throws {
        try state.withLockNotifyingAll { (state: inout State) throws in
            guard !state.isClosed else { return }
            let paths = try catalog.roots().map(\.path).sorted()
            state.settings = state.settings.filter { paths.contains($0.key) }
            state.paused.formIntersection(paths)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            let content = Content(
                roots: paths.map { Root($0, state.settings[$0], isPaused: state.paused.contains($0)) }
            )
            let bytes = [UInt8](try encoder.encode(content))
            guard bytes != state.stored else { return }
            try DurableFile.replace(file, with: bytes)
            state.stored = bytes
        }
    }

    /// Lets the file be: its folder may soon be another collection's.
    func close() { state.withLockNotifyingAll { $0.isClosed = true } }
}
