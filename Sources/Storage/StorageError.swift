internal import CLMDB
package import Platform

/// A failed storage operation: what it means, what was tried, and the raw code below it.
package struct StorageError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a failure means to the caller.
    package enum Code: Hashable, Sendable {
        /// The disk, the quota or the largest permitted map is full, or the disk takes no writes.
        case storageFull
        /// The map is full; `Environment.grow` makes room, then the transaction can be tried again.
        case mapFull
        /// A commit failed half-way; every transaction fails until `Environment.reopen`.
        case panicked
        /// LMDB found its pages damaged, or the file is not LMDB's.
        case corrupted
        /// Another environment, here or in another process, has the directory.
        case inUse
        /// The directory lies on a file system where memory maps are not shared between machines.
        case networkFileSystem
        /// The environment was closed.
        case closed
        /// A key exists, or an appended key is not above the last one.
        case keyExists
        /// A key is empty or longer than `Environment.maximumKeyByteCount`, or a duplicate value is too long.
        case badSize
        /// The database exists with other flags.
        case incompatible
        /// One transaction changed more pages than LMDB tracks.
        case transactionTooLarge
        /// All reader slots are taken.
        case readersFull
        /// A copy was given up, because the environment is resized, opened again or closed.
        case interrupted
        /// Anything else the system refuses, such as `EIO`, `EACCES`, `ENOMEM`.
        case system
    }

    package let code: Code
    /// What was tried, with the object at fault.
    package let operation: String
    /// The code below; nil when the failure was found above LMDB.
    package let status: LMDBStatus?

    package init(code: Code, operation: String, status: LMDBStatus? = nil) {
        self.code = code
        self.operation = operation
        self.status = status
    }

    /// Gives the raw code its meaning: the one place where that happens.
    package init(_ status: LMDBStatus, operation: String) {
        let code: Code =
            switch status {
            case .noSpace, .quotaExceeded, .fileTooLarge, .readOnlyFileSystem: .storageFull
            case .mapFull: .mapFull
            case .panic: .panicked
            case .corrupted, .pageNotFound, .invalid, .versionMismatch: .corrupted
            case .keyExists: .keyExists
            case .badValueSize: .badSize
            case .incompatible: .incompatible
            case .transactionFull: .transactionTooLarge
            case .readersFull: .readersFull
            default: .system
            }
        self.init(code: code, operation: operation, status: status)
    }

    package init(_ error: SystemError) {
        self.init(LMDBStatus(rawValue: error.code), operation: error.operation)
    }

    /// With less free space than this a write that failed half-way is taken for a full disk. LMDB hands 64 pages to the
    /// system at a time, or one record that is larger.
    private static let leastFreeByteCount: UInt64 = 4 << 20

    /// The failure of a write, where free space tells what the code does not: a disk that runs full takes a part of a write,
    /// and LMDB reports every short write as `EIO` (`mdb_page_flush`).
    func explained(freeByteCount: UInt64?) -> StorageError {
        guard let freeByteCount, status == .inputOutput || status == .noSpace else { return self }
        guard status == .noSpace || freeByteCount < Self.leastFreeByteCount else { return self }
        return StorageError(.noSpace, operation: "\(operation) with \(freeByteCount) bytes free")
    }

    package var description: String {
        let reason = status.map { ": \($0)" } ?? ""
        return switch code {
        case .inUse: "\(operation): in use by another process\(reason)"
        case .networkFileSystem: "\(operation): a network file system cannot hold the store"
        case .closed: "\(operation): the store is closed"
        case .panicked: "\(operation): the store failed and has to be opened again\(reason)"
        case .interrupted: "\(operation): given up, because the store is resized, opened again or closed; try again"
        default: "\(operation)\(reason)"
        }
    }
}

/// An error type that can carry a `StorageError`, so that a scoped closure may throw its caller's own errors.
package protocol StorageErrorConvertible: Error {
    init(_ error: StorageError)
}

extension StorageError: StorageErrorConvertible {
    package init(_ error: StorageError) { self = error }
}

/// The funnel through which every result of LMDB goes.
func check(_ result: Int32, _ operation: @autoclosure () -> String) throws(StorageError) {
    guard result != MDB_SUCCESS else { return }
    throw StorageError(LMDBStatus(rawValue: result), operation: operation())
}
