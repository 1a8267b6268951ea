internal import Platform
internal import Storage
internal import VectorIndex

/// One search: vectors from the index become images, in order of score and then of id.
///
/// Several images can share a vector, so the number of vectors that a page needs is not known beforehand: the index is
/// asked for more until the page is full and its last place is decided, or there are no more vectors.
struct CatalogSearch {
    private struct Candidate {
        var id: ImageID
        var score: Float
    }

    let query: CatalogQuery
    let contents: CatalogStore.Contents

    /// - Returns: the page, and whether the transaction holds images for it that the index did not give: a vector that was
    ///   added or removed after the transaction began counts for the index, and has no image here.
    func run(
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> (results: CatalogResults, isShort: Bool) {
        let vector = try contents.compared(query.vector)
        let filterStart = Instant.now
        let matches = try query.filter.map { (filter) throws(CatalogFailure) in
            try FilterMatches(filter, transaction)
        }
        let members = try matches?.slots(transaction)
        let stored = try transaction.count(of: contents.tables.images)
        let imageCount = matches?.count ?? stored
        let limit = min(max(query.limit, 1), 1000)
        let offset = min(max(query.offset, 0), imageCount)
        // One more than the page shows that its last place is decided.
        let wanted = offset + limit + 1
        var count = wanted + (query.excluded == nil ? 0 : 1)
        var searchTime = Instant.now.nanoseconds - filterStart.nanoseconds
        var loadTime: Int64 = 0
        while true {
            let start = Instant.now
            let found: [IndexHit]
            do throws(IndexError) {
                found = try contents.index.search(
                    vector,
                    count: count,
                    ef: nil,
                    isExact: query.isExact,
                    among: members,
                    transaction: transaction.storage
                )
            } catch { throw CatalogFailure(error) }
            let middle = Instant.now
            searchTime += middle.nanoseconds - start.nanoseconds
            let candidates = try expand(found, wanted, matches, transaction)
            let isAll = found.count < count || (found.last.map { $0.score < query.minimumScore } ?? true)
            if isAll || isDecided(candidates, found, offset + limit) {
                var hits: [CatalogHit] = []
                for candidate in candidates.dropFirst(offset).prefix(limit) {
                    let row = try transaction.requiredImage(candidate.id)
                    hits.append(CatalogHit(image: row.image, score: candidate.score))
                }
                loadTime += Instant.now.nanoseconds - middle.nanoseconds
                let results = CatalogResults(
                    hits: hits,
                    total: imageCount,
                    searchNanoseconds: searchTime,
                    loadNanoseconds: loadTime
                )
                let isCut = found.last.map { $0.score < query.minimumScore } ?? false
                let existing = imageCount - (try countsExcluded(matches, transaction) ? 1 : 0)
                return (results, !isCut && candidates.count < min(offset + limit, existing))
            }
            loadTime += Instant.now.nanoseconds - middle.nanoseconds
            count *= 2
        }
    }

    /// Whether the image that is left out is one of those that were counted.
    private func countsExcluded(
        _ matches: FilterMatches?,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> Bool {
        guard let id = query.excluded, let matches else { return query.excluded != nil }
        guard let row = try transaction.image(id) else { return false }
        return try matches.contains(id, at: row.slot, transaction)
    }

    /// Images of the vectors found, best first. A vector contributes at most as many as the page can use.
    private func expand(
        _ found: [IndexHit],
        _ wanted: Int,
        _ matches: FilterMatches?,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> [Candidate] {
        var candidates: [Candidate] = []
        var lastScore: Float = .infinity
        for hit in found {
            if hit.score < query.minimumScore { break }
            if candidates.count >= wanted, hit.score < lastScore { break }
            // Images of one vector may match or not each for itself.
            let limit = matches == nil ? wanted + 1 : .max
            for id in try transaction.images(of: hit.slot, limit: limit) where id != query.excluded {
                if let matches, try !matches.contains(id, at: hit.slot, transaction) { continue }
                candidates.append(Candidate(id: id, score: hit.score))
            }
            lastScore = hit.score
        }
        return candidates.sorted { ($1.score, $0.id) < ($0.score, $1.id) }
    }

    /// Whether no vector that was not found yet can change the first `count` places: the last of them scores above the
    /// last vector found, so an equal score further on cannot come before it.
    private func isDecided(_ candidates: [Candidate], _ found: [IndexHit], _ count: Int) -> Bool {
        guard candidates.count >= count, count > 0, let last = found.last else { return false }
        return candidates[count - 1].score > last.score
    }
}
