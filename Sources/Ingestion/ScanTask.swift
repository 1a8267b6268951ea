internal import Catalog
internal import Platform

/// What the scanner does next. A directory has a `FileKey` too: its root and its path there.
enum ScanTask: Hashable, Sendable {
    /// Look at a file that may still be changing, and tell `SchedulerState.fileProbed`.
    case probe(FileKey)
    /// Compare a quiescent file with the ledger. `since` is when its first event came.
    case check(FileKey, Debouncer.Cause, since: Instant)
    /// A directory scan: list a directory and everything below it, and compare each file with its row.
    case scanDirectory(FileKey, isForced: Bool)
    /// Count the entries of one directory anew.
    case countEntries(FileKey)
    /// An orphan scan: compare the ledger's rows below a directory with the disk.
    case removeOrphans(FileKey)
    /// Look whether each root that is online still stands at its path.
    case lookAtRoots
    /// Find the failed files that are due.
    case retryFailures
}

/// A file to read.
struct ReadRequest: Sendable {
    var key: FileKey
    /// A failed file too, whatever its time.
    var isForced = false
    /// Also where its stamp is the ledger's: it was written through a map perhaps, which need not change the stamp.
    var ignoresStamp = false
}

/// The priorities of files to read, the first one first.
enum ReadPriority: Int, CaseIterable, Sendable {
    /// Files that became quiescent.
    case urgent
    /// Files that scans found in directories that appeared: they may be new names of files that are gone.
    case fresh
    /// Files that scans of the whole root found.
    case backlog
}
