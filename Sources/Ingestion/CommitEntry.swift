internal import Catalog
internal import Platform

/// What one file came to: changes that belong into one transaction, and what to do when they are committed.
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
    /// A file on its way from reading to commit, as against a deletion or a document.
    var isInFlightJob = true
    /// When a failed file is due again, nanoseconds since 1970.
    var nextAttempt: Int64?
}
