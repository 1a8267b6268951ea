/// What was looked at, and what was wrong.
struct TortureVerdict {
    var acknowledgedInserts = 0
    var acknowledgedDeletes = 0
    var insertsChecked = 0
    var deletesChecked = 0
    /// Batches without an acknowledgement: in the store, or not.
    var unacknowledgedKept = 0
    var unacknowledgedDropped = 0
    /// Batches that the store said it had not stored.
    var refused = 0

    /// Acknowledged and not found, or not by its own vector.
    var lost = 0
    /// Acknowledged as deleted, or never acknowledged and dropped, and found.
    var resurrectedDeletes = 0
    /// A row that fails its checksum or breaks the format, or a finding of the audit.
    var damaged = 0
    /// Batches of which the store has a part.
    var tornWrites = 0
    /// Openings whose counts differ from what is there.
    var miscounted = 0
    /// Slots without a vector that links name, or vectors without links, on disk after an orderly end.
    var dangling = 0
    /// Not found by the graph from a vector beside its own; of `insertsChecked`. It may happen: the graph is approximate.
    var missedByGraph = 0

    var faultCount: Int { lost + resurrectedDeletes + damaged + tornWrites + miscounted + dangling }
}
