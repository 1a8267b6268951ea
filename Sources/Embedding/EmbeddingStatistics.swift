/// Counts since start.
package struct EmbeddingStatistics: Sendable, Codable {
    /// Images embedded in the bulk queue.
    package var imageCount = 0
    /// Images embedded in the query queue.
    package var queryCount = 0
    package var batchCount = 0
    package var failureCount = 0
    /// Images waiting to be decoded or embedded now.
    package var waitingCount = 0
    /// Seconds that decoders and the backend worked.
    package var decodeSeconds = 0.0
    package var computeSeconds = 0.0

    package init() {}
}
