internal import Foundation
internal import Glibc
internal import Platform

/// `<state>/collections`: a folder for each collection, called as it is. The folders are the list of collections.
///
/// In a collection's folder lie `roots` (`RootListFile`) and one folder for each model that was used, with the vectors
/// of that model. Making a collection is one `mkdir`, and one without a model's folder is an empty collection. Removing
/// one begins with a rename to a name that no collection can have, and what has such a name is deleted, at the next
/// start at the latest. So a process killed at any moment leaves each collection whole or gone.
struct CollectionsFolder: Sendable {
    /// Of folders on their way out; no name of a collection begins with a dot.
    private static let removedPrefix = ".removed-"
    private static let log = Log("daemon")

    private let path: String

    /// Makes the folder, and in it that of the standard collection, and deletes what was removed.
    ///
    /// - Throws: `SystemError`.
    init(stateDirectory: String) throws {
        path = "\(stateDirectory)/collections"
        try Self.make(path)
        try Self.make(folder(of: .standard))
        // The list of folders lay beside the collections while there was one.
        let formerRoots = "\(stateDirectory)/roots"
        let standardRoots = rootList(of: .standard)
        if FileManager.default.fileExists(atPath: formerRoots), !FileManager.default.fileExists(atPath: standardRoots) {
            try retrying("move \(formerRoots)") { unsafe rename(formerRoots, standardRoots) }
        }
        for name in try entries() where name.hasPrefix(Self.removedPrefix) { delete("\(path)/\(name)") }
    }

    /// The collections that there are, in order. Anything else in the folder is let alone, and named in the log.
    func names() throws -> [CollectionName] {
        try entries().compactMap { entry in
            if let name = CollectionName(entry) { return name }
            Self.log.warning("\(path)/\(entry) is not a collection: \(CollectionName.rule)")
            return nil
        }
        .sorted()
    }

    /// Makes an empty collection, durably.
    ///
    /// - Throws: `SystemError`; `EEXIST` when it is there.
    func create(_ name: CollectionName) throws(SystemError) {
        let folder = folder(of: name)
        try retrying("make \(folder)") { unsafe mkdir(folder, 0o700) }
        do throws(SystemError) { try synchronize() } catch {
            _ = unsafe rmdir(folder)
            throw error
        }
    }

    /// Takes a collection out, durably, and then deletes its files; nobody may have it open.
    ///
    /// - Throws: `SystemError`: the collection is as it was, or its removal may not outlast a power failure.
    func remove(_ name: CollectionName) throws(SystemError) {
        let folder = folder(of: name)
        let aside = "\(path)/\(Self.removedPrefix)\(name)-\(UInt64.random(in: 0 ... .max))"
        do throws(SystemError) { try retrying("rename \(folder)") { unsafe rename(folder, aside) } } catch {
            // An earlier try got as far as that.
            guard error.code == ENOENT else { throw error }
        }
        try synchronize()
        delete(aside)
    }

    /// Where the collection's vectors of one model lie. Vectors of two models never meet, and going back to a model
    /// costs nothing.
    func store(of name: CollectionName, fingerprint: String) -> String {
        "\(folder(of: name))/\(SHA256Digest(of: Array(fingerprint.utf8)).description.prefix(16))"
    }

    /// The file that lists the collection's watched folders.
    func rootList(of name: CollectionName) -> String { "\(folder(of: name))/roots" }

    private func folder(of name: CollectionName) -> String { "\(path)/\(name)" }

    private func entries() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: path) }

    private func delete(_ folder: String) {
        do { try FileManager.default.removeItem(atPath: folder) } catch CocoaError.fileNoSuchFile {
            return
        } catch {
            Self.log.warning("\(folder) of a removed collection is deleted at the next start: \(error)")
        }
    }

    private func synchronize() throws(SystemError) {
        let folder = try OwnedDescriptor.open(path, O_RDONLY | O_DIRECTORY)
        let number = folder.rawValue
        try retrying("fsync \(path)") { fsync(number) }
    }

    private static func make(_ path: String) throws(SystemError) {
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw SystemError.last("make \(path)")
    }
}
