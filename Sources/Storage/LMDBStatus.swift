internal import CLMDB
internal import Glibc

/// A result code of LMDB: negative for its own, positive for an `errno` that it passes on.
package struct LMDBStatus: RawRepresentable, Error, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: Int32

    package init(rawValue: Int32) { self.rawValue = rawValue }

    /// `MDB_SUCCESS`
    package static let success = LMDBStatus(rawValue: MDB_SUCCESS)
    /// `MDB_KEYEXIST`
    package static let keyExists = LMDBStatus(rawValue: MDB_KEYEXIST)
    /// `MDB_NOTFOUND`
    package static let notFound = LMDBStatus(rawValue: MDB_NOTFOUND)
    /// `MDB_PAGE_NOTFOUND`
    package static let pageNotFound = LMDBStatus(rawValue: MDB_PAGE_NOTFOUND)
    /// `MDB_CORRUPTED`
    package static let corrupted = LMDBStatus(rawValue: MDB_CORRUPTED)
    /// `MDB_PANIC`
    package static let panic = LMDBStatus(rawValue: MDB_PANIC)
    /// `MDB_VERSION_MISMATCH`
    package static let versionMismatch = LMDBStatus(rawValue: MDB_VERSION_MISMATCH)
    /// `MDB_INVALID`
    package static let invalid = LMDBStatus(rawValue: MDB_INVALID)
    /// `MDB_MAP_FULL`
    package static let mapFull = LMDBStatus(rawValue: MDB_MAP_FULL)
    /// `MDB_READERS_FULL`
    package static let readersFull = LMDBStatus(rawValue: MDB_READERS_FULL)
    /// `MDB_TXN_FULL`
    package static let transactionFull = LMDBStatus(rawValue: MDB_TXN_FULL)
    /// `MDB_INCOMPATIBLE`
    package static let incompatible = LMDBStatus(rawValue: MDB_INCOMPATIBLE)
    /// `MDB_BAD_VALSIZE`
    package static let badValueSize = LMDBStatus(rawValue: MDB_BAD_VALSIZE)

    static let inputOutput = LMDBStatus(rawValue: EIO)
    static let outOfMemory = LMDBStatus(rawValue: ENOMEM)
    static let noSpace = LMDBStatus(rawValue: ENOSPC)
    static let quotaExceeded = LMDBStatus(rawValue: EDQUOT)
    static let fileTooLarge = LMDBStatus(rawValue: EFBIG)
    static let readOnlyFileSystem = LMDBStatus(rawValue: EROFS)
    static let invalidArgument = LMDBStatus(rawValue: EINVAL)

    /// LMDB's or the system's words. The corresponding C function is `mdb_strerror`.
    package var description: String { String(cString: mdb_strerror(rawValue)) }
}
