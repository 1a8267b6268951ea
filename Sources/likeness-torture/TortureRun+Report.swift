import Platform

/// What a run has found.
extension TortureRun {
    /// Everything that must not be; empty is good.
    var faults: [String] {
        var faults = oracle.findings + strangeEndings
        if faults.isEmpty, oracle.verdict.faultCount > 0 { faults.append("\(oracle.verdict)") }
        let missed = oracle.verdict.missedByGraph
        if missed > 10, missed * 50 > oracle.verdict.insertsChecked {
            faults.append("the graph does not lead to \(missed) of \(oracle.verdict.insertsChecked) vectors")
        }
        return faults
    }

    var report: [String: any Sendable] {
        let verdict = oracle.verdict
        return [
            "bench": "torture", "subject": options.subject, "seed": options.seed, "rounds": rounds,
            "seconds": Instant.now - begin, "kills": kills.values.reduce(0, +),
            "kills_by_phase": Dictionary(uniqueKeysWithValues: kills.map { ("\($0.key)", $0.value) }),
            "orderly_ends": orderlyEnds, "endings": endings,
            "inserts_acknowledged": verdict.acknowledgedInserts, "deletes_acknowledged": verdict.acknowledgedDeletes,
            "inserts_checked": verdict.insertsChecked, "deletes_checked": verdict.deletesChecked,
            "unacknowledged_kept": verdict.unacknowledgedKept,
            "unacknowledged_dropped": verdict.unacknowledgedDropped, "refused": verdict.refused,
            "lost": verdict.lost, "resurrected_deletes": verdict.resurrectedDeletes, "damaged": verdict.damaged,
            "torn_writes": verdict.tornWrites,
            "miscounted": verdict.miscounted, "dangling": verdict.dangling, "graph_missed": verdict.missedByGraph,
            "reopen_ms_max": longestOpening,
        ]
    }
}
