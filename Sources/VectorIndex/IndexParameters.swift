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
    /// being learnt.
    package var linkFrom = 2048
    /// With fewer stored vectors opening reads and checks each; a larger store is checked when asked to (`verify`).
    package var checkedBelow = 262_144
    /// Vectors that may wait for a linker before `waitForRoom` blocks. Scanning 57,000 of 512 components took 3 ms.
    package var pendingLimit = 131_072
    /// Share of removed slots among the linked ones that starts a repair of the graph.
    package var repairShare = 0.05
    /// Operations that make a checkpoint due, at least; a fiftieth of the collection when that is more.
    package var checkpointOperations = 20_000
    /// Database pages that one call of `checkpoint(in:)` changes at most, about: 8 MiB.
    package var checkpointPages = 2_000

    /// A set of fewer members, and one of a smaller share of the live vectors, is scanned by its codes.
    package var scannedMembers = 10_000
    package var scannedShare = 0.03
    /// A larger set is scanned too when the query lies where it has no members, up to this many: the graph shows no way there.
    package var scannedStrangers = 1_000_000
    /// Members that a hop of a search among members looks for, over the share of them in the collection: 6 at a half makes 12.
    package var membersPerHop = 6.0

    package init() {}
}
