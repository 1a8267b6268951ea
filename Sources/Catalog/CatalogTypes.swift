package import Filters
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

/// A root as stored: absolute path, and whether somebody took it off the list.
package struct RootRecord: Hashable, Sendable {
    package let id: RootID
    /// Absolute, without symbolic links, no trailing slash.
    package let path: RelativePath

    package init(id: RootID, path: RelativePath) {
        self.id = id
        self.path = path
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
        case dismissed
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

/// One step of what a batch changes.
package enum CatalogChange: Sendable {
    /// The file's bytes are this image. `embedded` is nil where `knowsContent` said that the vector is stored already.
    /// An image that the file had before is replaced, its id kept.
    case index(
        key: FileKey,
        stamp: FileStamp,
        content: SHA256Digest,
        embedded: (vector: [Float], format: String, width: UInt32, height: UInt32)?,
        document: [UInt8]
    )
    /// The file cannot be searched; an image that it had before goes. A dismissed file whose bytes could not be read, or are
    /// the same, stays as it is.
    case fail(key: FileKey, stamp: FileStamp, content: SHA256Digest?, failure: FileFailure)
    /// The same bytes under a new stamp (touched, copied back).
    case restamp(key: FileKey, stamp: FileStamp)
    /// The file moved: the image keeps its id under the new key. `from` must be indexed.
    case move(from: FileKey, to: FileKey, stamp: FileStamp)
    /// A new or changed document beside the file; empty removes it.
    case setDocument(key: FileKey, document: [UInt8])
    /// The file is gone: row and image go.
    case forget(key: FileKey)
    /// A user removed the image: it goes, the row stays as `dismissed`.
    case dismiss(ImageID)
}

/// What became of one change.
package enum CatalogOutcome: Hashable, Sendable {
    case done(ImageID?)
    /// `index` without a vector, or `move`, whose content has gone meanwhile: embed it and apply again.
    case needsVector
    /// The change names an image or file that is not there; nothing was changed.
    case notFound
}

/// How to search.
package struct CatalogQuery: Sendable {
    /// fp32, L2-normalised, the collection's dimension.
    package var vector: [Float]
    /// Results at most, in `1...1000`.
    package var limit = 10
    package var offset = 0
    package var minimumScore: Float = -1
    /// Scan all vectors instead of the graph.
    package var isExact = false
    /// Leave this image out (search by id).
    package var excluded: ImageID?
    /// Only images that match.
    package var filter: Filter?

    package init(vector: [Float]) { self.vector = vector }
}

/// One result: cosine similarity in `-1...1`, the best first.
package struct CatalogHit: Sendable {
    package var image: ImageRecord
    package var score: Float

    package init(image: ImageRecord, score: Float) {
        self.image = image
        self.score = score
    }
}

/// Results and where the time went.
package struct CatalogResults: Sendable {
    package var hits: [CatalogHit]
    /// Searchable images in the collection; with a filter, those that match.
    package var total: Int
    package var searchNanoseconds: Int64
    package var loadNanoseconds: Int64

    package init(hits: [CatalogHit], total: Int, searchNanoseconds: Int64, loadNanoseconds: Int64) {
        self.hits = hits
        self.total = total
        self.searchNanoseconds = searchNanoseconds
        self.loadNanoseconds = loadNanoseconds
    }
}

/// Counts for status.
package struct CatalogStatistics: Sendable {
    /// Searchable images.
    package var imageCount: Int
    /// Distinct vectors.
    package var vectorCount: Int
    /// Vectors found by scanning, not linked into the graph yet.
    package var pendingCount: Int
    package var failedFileCount: Int
    package var fileCount: Int
    /// Bytes of the store's file up to the last page in use: what it needs on disk, short of the lock file. Removals do not
    /// lower it; their pages are used again.
    package var diskByteCount: Int
    /// Bytes of the index's mirror in memory.
    package var memoryByteCount: Int

    package init(
        imageCount: Int,
        vectorCount: Int,
        pendingCount: Int,
        failedFileCount: Int,
        fileCount: Int,
        diskByteCount: Int,
        memoryByteCount: Int
    ) {
        self.imageCount = imageCount
        self.vectorCount = vectorCount
        self.pendingCount = pendingCount
        self.failedFileCount = failedFileCount
        self.fileCount = fileCount
        self.diskByteCount = diskByteCount
        self.memoryByteCount = memoryByteCount
    }
}

/// What can go wrong in a collection.
package enum CatalogError: Error, Sendable, CustomStringConvertible {
    /// Stored bytes break the format; names the record.
    case corrupted(record: String, detail: String)
    /// The collection's vectors come from another model, head or preprocessing.
    case fingerprintMismatch(stored: String, expected: String)
    /// Another process has the collection open.
    case inUse(path: String)
    /// A newer program wrote it.
    case newerFormat(found: Int, supported: Int)
    /// The disk is full or refuses writes: searches go on, the change was not stored; try again later.
    case storageFull(detail: String)
    /// Any other storage failure; the change was not stored.
    case storage(detail: String)
    case wrongDimension(got: Int, expected: Int)
    /// A query that has no direction: all zero, or not finite.
    case unusableVector(detail: String)
    /// No whitening can be learned from what the collection holds.
    case whiteningRefused(detail: String)

    package var description: String {
        switch self {
        case .corrupted(let record, let detail): "stored record \(record) is damaged: \(detail)"
        case .fingerprintMismatch(let stored, let expected):
            "the collection holds vectors of \(stored), not of \(expected)"
        case .inUse(let path): "another process uses \(path)"
        case .newerFormat(let found, let supported):
            "the collection has format \(found); this program reads up to \(supported)"
        case .storageFull(let detail): "no room to store: \(detail)"
        case .storage(let detail): detail
        case .wrongDimension(let got, let expected): "a vector of \(got) numbers where \(expected) are needed"
        case .unusableVector(let detail): "the vector cannot be searched for: \(detail)"
        case .whiteningRefused(let detail): "no whitening can be learned: \(detail)"
        }
    }
}
