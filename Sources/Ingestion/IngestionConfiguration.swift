/// Times, in seconds, and bounds of the ingestion. The times are short enough that a dropped file is searchable within two
/// seconds, and long enough that no copying program's file is read half written; the bounds keep memory independent of
/// the number of files.
package struct IngestionConfiguration: Sendable {
    /// From the last close after writing, or the move into place, until the file is read.
    package var closedDelay = 0.2
    /// A file that appeared or changed without a close is read when two looks this far apart agree.
    package var probeInterval = 0.5
    /// Timeout of the debouncer: a file that changes for so long is left alone until its next event.
    package var quiescenceTimeout = 600.0
    /// From a deletion until the image goes: long enough for the file to reappear under another name.
    package var removalDelay = 1.0
    /// Timeout of a deletion: it waits at most this long for the files that are being read (each may be its new name).
    package var removalTimeout = 10.0
    /// A stamp is racy, in the sense of git's index, when the file changed so shortly before it was read; the file is read
    /// once more later, because timestamps are coarse.
    package var racyWindow = 2.0
    /// From one look at a root that is offline to the next.
    package var offlineInterval = 2.0
    /// From the reading of a file that an event told of until its stamp is looked at again, each time.
    package var laterLooks: [Double] = [15, 60]
    /// A file that is closed after writing within so long of its last change is read whatever its stamp says: what is written
    /// through a map changes the stamp once, until the kernel has written the page to the disk.
    package var mappedWindow = 3600.0
    /// Files with several names that are watched by themselves; with more the root is polled.
    package var linkedCapacity = 16_384
    /// From one look at what stands at the paths of the roots to the next.
    package var lookInterval = 2.0
    /// From one scan of a polled root to the next, at least; a long scan stretches it.
    package var pollInterval = 2.0
    /// From an entry that comes or goes until its directory is counted anew.
    package var countDelay = 1.0
    /// From the first pass that misses very many files to the second, which must miss the same.
    package var guardDelay = 5.0
    /// From one comparison with a directory that replaced another to the next, at most; it doubles while nothing changes.
    package var longestComparisonPause = 600.0
    /// A pass that misses more files than this, and more than a fifth of the root, needs a second one.
    package var guardCount = 100
    /// From one attempt to store, while the disk is full, or to embed, while the device is gone, to the next.
    package var pauseInterval = 3.0
    /// Backoff of transient errors: the wait before each further attempt at a file; after the last it waits for a change.
    package var backoffDelays: [Double] = [60, 300, 1800, 6 * 3600, 24 * 3600]

    /// Paths that are debounced at once; beyond it their directories are scanned instead.
    package var debounceCapacity = 65_536
    /// Files of a root that a scan found to need work; beyond it they are counted, and a further scan finds them.
    package var backlogCapacity = 65_536
    /// Directories of a root that wait for a scan; beyond it the whole root is.
    package var dirtyDirectoryCapacity = 512
    /// Files between reading and commit. How many encoded bytes wait is the embedder's to bound.
    package var inFlightCapacity = 192
    package var readerCount = 2
    /// A batch is committed when it holds so many files, or is so old.
    package var commitCount = 32
    package var commitDelay = 0.02
    package var maximumFileByteCount = 100 << 20
    package var maximumSidecarByteCount = 1 << 20

    /// Directories that are the daemon's own: not entered below a root, and no root themselves.
    package var excludedDirectories: [ExcludedDirectory] = []

    package init() {}
}
