package import Filters

/// How to search.
package struct CatalogQuery: Sendable {
    /// fp32, L2-normalised, the collection's dimension.
    package var vector: [Float]
    /// Results at most, in `1...1000`.
    package var limit = 10
    package var offset = 0
    package var minimumScore: Float = -1
    /// Scan all vectors instead of the graph.
    package var isExact = false
    /// Leave this image out (search by id).
    package var excluded: ImageID?
    /// Only images that match.
    package var filter: Filter?

    package init(vector: [Float]) { self.vector = vector }
}

/// One result: cosine similarity in `-1...1`, the best first.
package struct CatalogHit: Sendable {
    package var image: ImageRecord
    package var score: Float

    package init(image: ImageRecord, score: Float) {
        self.image = image
        self.score = score
    }
}

/// Results and where the time went.
package struct CatalogResults: Sendable {
    package var hits: [CatalogHit]
    /// Searchable images in the collection; with a filter, those that match.
    package var total: Int
    package var searchNanoseconds: Int64
    package var loadNanoseconds: Int64

    package init(hits: [CatalogHit], total: Int, searchNanoseconds: Int64, loadNanoseconds: Int64) {
        self.hits = hits
        self.total = total
        self.searchNanoseconds = searchNanoseconds
        self.loadNanoseconds = loadNanoseconds
    }
}
