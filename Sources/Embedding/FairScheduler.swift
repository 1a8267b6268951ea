/// Whose turn it is when queries and bulk images could both be computed: the queries', until they are too far ahead.
///
/// Under constant queries each lane gets half of the time; a burst of less than `limit` passes whole.
struct Precedence: Sendable {
    /// Seconds of computing that queries may have had more than the bulk lane.
    static let limit = 0.5

    /// Seconds of computing that queries had more than the bulk lane, while that had work.
    private var lead = 0.0

    var queriesGoFirst: Bool { lead < Self.limit }

    /// Queries were computed for so long, and the bulk lane has work or has not.
    mutating func countQueries(seconds: Double, bulkWaits: Bool) { lead = bulkWaits ? lead + seconds : 0 }

    /// Bulk images were computed for so long. Time that nobody wanted is not saved up.
    mutating func countBulk(seconds: Double) { lead = max(0, lead - seconds) }
}
