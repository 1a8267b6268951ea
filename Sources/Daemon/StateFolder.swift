internal import Foundation
internal import Glibc
internal import Platform

/// The folder that holds all a daemon keeps: index, models, watched folders, page token. One process at a time may use
/// it, whatever its model.
final class StateFolder: Sendable {
    let path: String
    /// For files on their way; empty at the start.
    let temporary: String
    /// Locked while it is open: until the process ends or replaces itself.
    private let claim: OwnedDescriptor

    /// Makes the folder where it is missing (mode 0700), claims it, and only then removes what a killed daemon left in
    /// it.
    ///
    /// - Throws: `StateFolderError`.
    init(_ path: String) throws(StateFolderError) {
        let temporary = "\(path)/tmp"
        do throws(SystemError) {
            try Self.make(path)
            let claim = try OwnedDescriptor.open("\(path)/lock", O_RDWR | O_CREAT | O_NOFOLLOW)
            try Self.lock(claim)
            try? FileManager.default.removeItem(atPath: temporary)
            try Self.make(temporary)
            self.claim = claim
        } catch {
            throw error.code == EWOULDBLOCK ? .inUse(path: path) : .unusable(path: path, cause: error)
        }
        self.path = path
        self.temporary = temporary
    }

    private static func lock(_ file: borrowing OwnedDescriptor) throws(SystemError) {
        let number = file.rawValue
        try retrying("lock") { flock(number, LOCK_EX | LOCK_NB) }
    }

    /// Makes a folder and those above it that are missing.
    private static func make(_ path: String) throws(SystemError) {
        var status = stat()
        if unsafe stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else { throw SystemError(code: ENOTDIR, operation: "use \(path)") }
            return
        }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try make(String(path[..<slash])) }
        // A folder whose name ends in a slash was made as its own parent.
        guard unsafe mkdir(path, 0o700) != 0, errno != EEXIST else { return }
        throw SystemError.last("make \(path)")
    }
}

/// Why a state folder cannot be used.
enum StateFolderError: Error, Equatable, CustomStringConvertible {
    case inUse(path: String)
    case unusable(path: String, cause: SystemError)

    var description: String {
        switch self {
        case .inUse(let path):
            "another daemon uses the state folder \(path); stop it, or give this one its own: --state DIR"
        case .unusable(let path, let cause): "the state folder \(path) cannot be used: \(cause)"
        }
    }
}
