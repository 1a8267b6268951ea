internal import Catalog
internal import Platform

/// Absolute paths of the files in one reply; asks once for each root.
struct RootPaths {
    private let collection: any ServedCollection
    private var known: [RootID: RelativePath?] = [:]

    init(_ collection: any ServedCollection) { self.collection = collection }

    /// A file's absolute path and its root's, for people; the file's path alone when its root is gone.
    mutating func path(of key: FileKey) -> (full: String, root: String) {
        let found = known[key.root] ?? collection.rootPath(key.root)
        known.updateValue(found, forKey: key.root)
        guard let root = found else { return (key.path.description, "") }
        let isTop = root.bytes == [UInt8(ascii: "/")]
        let joined = isTop ? root.bytes + key.path.bytes : root.appending(key.path.bytes).bytes
        return (String(decoding: joined, as: UTF8.self), root.description)
    }
}
