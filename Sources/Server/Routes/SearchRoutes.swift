internal import Catalog
internal import Filters
internal import Foundation
internal import Platform
internal import Wire

/// What a search is asked for, from the query and the JSON body together.
private struct SearchOptions {
    var limit = WireProtocol.defaultSearchLimit
    var offset = 0
    var minimumScore = -1.0
    var isExact = false
    var filter: Filter?

    static let parameters = ["collection", "limit", "offset", "min_score", "exact", "filter"]
    private static let deepest = 10_000

    init(_ parameters: QueryParameters, _ request: SearchRequest) throws(Problem) {
        let givenLimit = try parameters.integer("limit", in: 1...WireProtocol.maximumSearchLimit)
        let givenOffset = try parameters.integer("offset", in: 0...Self.deepest)
        let givenMinimum = try parameters.number("min_score", in: -1...1)
        let givenExact = try parameters.flag("exact")
        limit = request.limit ?? givenLimit ?? limit
        offset = request.offset ?? givenOffset ?? offset
        minimumScore = request.minScore ?? givenMinimum ?? minimumScore
        isExact = request.exact ?? givenExact ?? isExact
        filter = try parameters.filter()
        if let json = request.filter {
            do throws(FilterError) { filter = try Filter(json) } catch { throw Problem(error) }
        }
        guard (1...WireProtocol.maximumSearchLimit).contains(limit) else {
            throw Problem(.badRequest, "`limit` must be from 1 to \(WireProtocol.maximumSearchLimit)")
        }
        guard offset >= 0, offset <= Self.deepest - limit else {
            throw Problem(.badRequest, "`offset` must not be negative, and `limit` + `offset` at most \(Self.deepest)")
        }
        guard (-1...1).contains(minimumScore) else { throw Problem(.badRequest, "`min_score` must be from -1 to 1") }
    }
}

extension Routes {
    /// What looks like this?
    var searchRoutes: [Route] {
        [
            Route(
                method: "POST",
                pattern: "/v1/search",
                parameters: SearchOptions.parameters,
                body: .memory(byteCount: limits.searchBodyByteCount),
                isSearch: true,
                handle: search
            ),
            Route(
                method: "GET",
                pattern: "/v1/images/{id}/similar",
                parameters: SearchOptions.parameters,
                isSearch: true
            ) { (call) throws(Problem) in
                let request = SearchRequest(id: try imageID(call.captures[0]).rawValue)
                return try answer(call, request, image: nil)
            },
        ]
    }

    private func search(_ call: Call) throws(Problem) -> Response {
        guard !call.body.isEmpty else {
            throw Problem(.badRequest, "the body is empty; send an image: curl --data-binary @photo.jpg")
        }
        switch call.head.mediaType {
        case "application/json":
            let request = try JSON.decode(SearchRequest.self, from: call.body)
            switch (request.id, request.image) {
            case (.some, nil): return try answer(call, request, image: nil)
            case (nil, .some(let text)):
                guard let data = Data(base64Encoded: text) else {
                    throw Problem(.badRequest, "`image` is not base64")
                }
                return try answer(call, request, image: [UInt8](data))
            default: throw Problem(.badRequest, "give either `id` or `image`")
            }
        case "multipart/form-data":
            throw Problem(
                .unsupportedMediaType,
                "send the image's bytes as the body itself: curl --data-binary @photo.jpg, not -F"
            )
        default:
            return try answer(call, SearchRequest(), image: call.body)
        }
    }

    private func answer(_ call: Call, _ request: SearchRequest, image: [UInt8]?) throws(Problem) -> Response {
        let start = Instant.now
        let options = try SearchOptions(call.parameters, request)
        let collection = try collection(call, named: request.collection)
        var excluded: ImageID?
        let vector: [Float]
        if let image {
            vector = try ask(control.embed(image))
        } else {
            let id = ImageID(rawValue: request.id ?? 0)
            guard let found = try stored(collection, { (catalog) throws(CatalogError) in try catalog.vector(of: id) })
            else {
                throw Problem(.notFound, "there is no image \(id)")
            }
            (vector, excluded) = (found, id)
        }
        let embedded = Instant.now
        var query = CatalogQuery(vector: vector)
        query.limit = options.limit
        query.offset = options.offset
        query.minimumScore = Float(options.minimumScore)
        query.isExact = options.isExact
        query.excluded = excluded
        query.filter = options.filter
        let prepared = query
        let found = try stored(collection) { (catalog) throws(CatalogError) in try catalog.search(prepared) }
        let paths = try rootPaths(of: collection)
        let results = found.hits.map { SearchResultBody($0, paths) }
        if call.head.accepts("application/x-ndjson") {
            var lines: [UInt8] = []
            for result in results { lines += try JSON.encode(result) + [UInt8(ascii: "\n")] }
            return Response(bytes: lines, contentType: "application/x-ndjson")
        }
        let took = SearchResponse.Took(
            embed: image == nil ? 0 : milliseconds(embedded - start),
            search: milliseconds(Double(found.searchNanoseconds) / 1e9),
            load: milliseconds(Double(found.loadNanoseconds) / 1e9),
            total: milliseconds(.now - start)
        )
        let warnings = warnings.current(control)
        return try Response(
            json: SearchResponse(
                results: results,
                total: found.total,
                tookMilliseconds: took,
                warnings: warnings.isEmpty ? nil : warnings
            )
        )
    }

    private func milliseconds(_ seconds: Double) -> Double { (seconds * 1e6).rounded() / 1e3 }
}
