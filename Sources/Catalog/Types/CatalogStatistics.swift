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
