internal import Catalog
internal import Platform

/// A commit entry: what one file came to as changes that belong into one transaction, and what follows when they are
/// committed.
struct CommitEntry: Sendable {
    var key: FileKey
    /// Applied in order.
    var changes: [CatalogChange]
    /// The file's row before and after, for the counts.
    var before: RowKind
    var after: RowKind
    /// The root that loses a row by a move.
    var movedFrom: RootID?
    /// The content whose single flight this file leads; the flight ends with the commit.
    var ledFlight: SHA256Digest?
    /// The stamp was racy when the file was read: read the file once more later.
    var isRacy = false
    /// A deletion or a document, which belongs to no in-flight job.
    var isSideTask = false
    /// When a failed file is due again, nanoseconds since 1970.
    var nextAttempt: Int64?
    /// Sidecar files to examine once this is committed: those that its visit met and that may be bad, and itself a bad one.
    var sidecars: [FileKey] = []
    /// A path that has no image any more once this is committed: bad documents beside it are looked for then.
    var vacated: FileKey?
}
