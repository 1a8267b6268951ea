/// Constants of the graph and the thresholds of its use; tests lower some of them.
package struct IndexParameters: Sendable {
    /// Neighbours chosen for a new vector (M).
    package var linkCount = 16
    /// Beam of an insertion.
    package var efConstruction = 128
    /// Beam of a search that names none.
    package var efSearch = 64
    /// With fewer live vectors every search is an exact scan.
    package var exactBelow = 4096
    /// With fewer live vectors nothing is linked yet: the scan is faster than a graph, and the codes' range is still
    /// being trained.
    package var linkFrom = 2048
    /// With fewer stored vectors opening reads and checks each; a larger store is checked when asked to (`verify`).
    package var checkedBelow = 262_144
    /// Vectors that may wait for a linker before `applyBackpressure` blocks. Scanning 57,000 of 512 components took 3
    /// ms.
    package var pendingLimit = 131_072
    /// Share of tombstones among the linked slots that starts a repair of the graph.
    package var repairShare = 0.05
    /// Operations that make a checkpoint due, at least; a fiftieth of the collection when that is more.
    package var checkpointOperations = 20_000
    /// Database pages that one call of `checkpoint(in:)` changes at most, about: 8 MiB.
    package var checkpointPages = 2_000

    /// A set of fewer members is scanned, by a search of `efSearch`; of more, in proportion. 10,000 of 100,000 x 512
    /// took 250 us at recall 1.000 and a traversal 210 us at .986, where a search without a set took 80 us
    /// (`likeness-bench filter`).
    package var scannedMembers = 16_384
    /// A set of a smaller share of the live vectors is scanned: traversals lose their way, with recall .98 at .05 and
    /// .81 at .01.
    package var scannedShare = 0.05
    /// A set of fewer members is scanned for a query out of their distribution, which lies where hardly any are:
    /// traversals found 3 % of the nearest of 90,000 members that surround the query far away. 50,000 took 0.9 ms, and
    /// up to 30 ms where their scores hardly differ.
    package var scannedOutOfDistribution = 262_144

    package init() {}
}
