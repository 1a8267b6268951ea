package import Platform

/// An image's number: given once, never reused, kept through renames.
package struct ImageID: RawRepresentable, Hashable, Comparable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static func < (a: ImageID, b: ImageID) -> Bool { a.rawValue < b.rawValue }

    package var description: String { String(rawValue) }
}

/// A watched root's number: given once in a collection, never reused.
package struct RootID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }
}

/// Which directory a root's rows were last compared with: the same over restarts, as device and mount numbers are not.
package struct RootIdentity: Hashable, Sendable {
    package var inode: UInt64
    /// When the directory was made, nanoseconds since 1970; 0 where its file system does not keep that.
    package var born: Int64
    /// The number of its file system (`f_fsid`); 0 where that has none.
    package var fileSystem: UInt64

    package init(inode: UInt64, born: Int64, fileSystem: UInt64) {
        self.inode = inode
        self.born = born
        self.fileSystem = fileSystem
    }
}

/// A root as stored.
package struct RootRecord: Hashable, Sendable {
    package let id: RootID
    /// Absolute, without `.` and `..` and a trailing slash, symbolic links as they were given.
    package let path: RelativePath
    /// Of the directory that its rows agreed with last; nil before the first time.
    package let identity: RootIdentity?

    package init(id: RootID, path: RelativePath, identity: RootIdentity? = nil) {
        self.id = id
        self.path = path
        self.identity = identity
    }
}

/// One file in one root: the key of the ledger.
package struct FileKey: Hashable, Sendable {
    package let root: RootID
    package let path: RelativePath

    package init(root: RootID, path: RelativePath) {
        self.root = root
        self.path = path
    }
}

/// What `lstat` says of a file: equal stamps mean an unchanged file.
package struct FileStamp: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    package var byteCount: UInt64
    /// Nanoseconds since 1970 of the last change to the bytes.
    package var modified: Int64
    /// Nanoseconds since 1970 of the last change to bytes, name or mode.
    package var changed: Int64

    package init(device: UInt64, inode: UInt64, byteCount: UInt64, modified: Int64, changed: Int64) {
        self.device = device
        self.inode = inode
        self.byteCount = byteCount
        self.modified = modified
        self.changed = changed
    }
}

/// Why a file is not searchable, and when it is tried again.
package struct FileFailure: Hashable, Sendable {
    /// A stable word, such as `corrupt`, `unsupported`, `unreadable`.
    package var kind: String
    /// A sentence for people.
    package var message: String
    package var attempts: UInt32
    /// Nanoseconds since 1970; nil: not before the file changes.
    package var nextAttempt: Int64?

    package init(kind: String, message: String, attempts: UInt32, nextAttempt: Int64?) {
        self.kind = kind
        self.message = message
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }
}

/// A file's row in the ledger.
package struct FileRow: Hashable, Sendable {
    package enum State: Hashable, Sendable {
        case indexed(ImageID)
        case failed(FileFailure)
        /// A user removed the image; the file stays out until its bytes change.
        case excluded
    }

    package var key: FileKey
    package var stamp: FileStamp
    /// Digest of the bytes; nil when they could not be read.
    package var content: SHA256Digest?
    package var state: State

    package init(key: FileKey, stamp: FileStamp, content: SHA256Digest?, state: State) {
        self.key = key
        self.stamp = stamp
        self.content = content
        self.state = state
    }
}

/// An image as searches and lists return it.
package struct ImageRecord: Hashable, Sendable {
    package var id: ImageID
    package var key: FileKey
    package var content: SHA256Digest
    /// `jpeg` or `png`.
    package var format: String
    package var width: UInt32
    package var height: UInt32
    package var byteCount: UInt64
    /// The file's time, nanoseconds since 1970.
    package var modified: Int64
    /// When it became searchable, nanoseconds since 1970.
    package var added: Int64
    /// Any JSON object, as bytes; empty when the image has none.
    package var document: [UInt8]

    package init(
        id: ImageID,
        key: FileKey,
        content: SHA256Digest,
        format: String,
        width: UInt32,
        height: UInt32,
        byteCount: UInt64,
        modified: Int64,
        added: Int64,
        document: [UInt8]
    ) {
        self.id = id
        self.key = key
        self.content = content
        self.format = format
        self.width = width
        self.height = height
        self.byteCount = byteCount
        self.modified = modified
        self.added = added
        self.document = document
    }
}
