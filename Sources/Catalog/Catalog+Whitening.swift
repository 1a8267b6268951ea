package import LinearAlgebra
internal import Storage
internal import VectorIndex

/// Whitening of a collection: learned from its own vectors, stored with it, applied to what it stores and searches for.
extension Catalog {
    /// Vectors that a whitening is learned from at most.
    private static let sampleLimit = 50_000

    /// What vectors go through on their way to the index; nil: nothing.
    package var whitening: Whitening? { (try? store.contents())?.whitening }

    /// Learns a whitening from the vectors as the network gave them; changes nothing.
    ///
    /// - Throws: `.whiteningRefused` with too few distinct vectors, or ones that do not differ; `.corrupted`, `.storage`.
    /// - Complexity: reads at most 50,000 vectors, evenly spread; O(dimension^2) each, and O(dimension^3).
    package func learnWhitening() throws(CatalogError) -> Whitening {
        try read { (contents, transaction) throws(CatalogFailure) in
            let total = try contents.storedCount(transaction)
            let step = max(1, (total + Self.sampleLimit - 1) / Self.sampleLimit)
            var learner = WhiteningLearner(dimension: dimension)
            var first = Slot(rawValue: 0)
            var number = 0
            while true {
                let slots = try contents.slots(from: first, limit: 4096, transaction)
                guard let last = slots.last else { break }
                for slot in slots {
                    if number % step == 0 { learner.add(try contents.original(slot, transaction).floats) }
                    number += 1
                }
                first = Slot(rawValue: last.rawValue + 1)
            }
            do throws(WhiteningLearner.Failure) { return try learner.finish() } catch {
                throw .catalog(.whiteningRefused(detail: Self.reason(error)))
            }
        }
    }

    /// Writes the collection anew with its vectors whitened, or with nil as the network gave them. Afterwards searches go on as before
    /// and every change is refused: close the collection and open it again.
    ///
    /// Nothing is embedded. Ids, files, documents and events stay. Needs room on the disk for both at once. Whatever ends it, the process
    /// or the disk, the old collection is in force or the new one, whole.
    ///
    /// - Throws: the old one is in force and takes changes: `.storageFull`, `.corrupted`, `.storage`.
    /// - Complexity: O(n dimension^2); about a minute for a million vectors of 512.
    package func rewrite(whitening: Whitening?) throws(CatalogError) {
        try rewrite(whitening: whitening) { _ throws(CatalogFailure) in }
    }

    func rewrite(
        whitening: Whitening?,
        _ step: @escaping @Sendable (RewritingStep) throws(CatalogFailure) -> Void
    ) throws(CatalogError) {
        if let whitening, whitening.dimension != dimension {
            throw .wrongDimension(got: whitening.dimension, expected: dimension)
        }
        _ = try writer.submit(.rewrite(whitening, step))
    }

    private static func reason(_ failure: WhiteningLearner.Failure) -> String {
        switch failure {
        case .tooFewVectors(let got, let needed):
            "the collection has \(got) distinct vectors; whitening is learned from at least \(needed)"
        case .noVariance: "the collection's vectors do not differ"
        case .noEigenvalues(let info): "no eigenvalues were found (dsyevd \(info))"
        }
    }
}
