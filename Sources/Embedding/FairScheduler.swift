/// A fair scheduler of two priorities, which counts the lead in computing time: queries go first until their lead over the
/// bulk queue reaches `limit`.
///
/// Under constant queries each queue gets half of the time; a burst of less than `limit` passes whole.
struct FairScheduler: Sendable {
    /// Seconds of computing that queries may have had more than the bulk queue.
    static let limit = 0.5

    /// Seconds of computing that queries had more than the bulk queue, while that had work.
    private var lead = 0.0

    var queriesGoFirst: Bool { lead < Self.limit }

    /// Queries were computed for so long, and the bulk queue has work or has not.
    mutating func countQueries(seconds: Double, bulkWaits: Bool) { lead = bulkWaits ? lead + seconds : 0 }

    /// Bulk images were computed for so long. Time that nobody wanted is not saved up.
    mutating func countBulk(seconds: Double) { lead = max(0, lead - seconds) }
}
