internal import Catalog
internal import Filters
internal import Foundation
internal import Platform
internal import Wire

extension CatalogQuery {
    static let parameterNames = ["collection", "limit", "offset", "min_score", "exact", "filter"]
    private static let deepest = 10_000

    /// What a search is asked for; members of the body win over parameters.
    init(vector: [Float], _ parameters: QueryParameters, _ request: SearchRequest) throws(Problem) {
        self.init(vector: vector)
        let givenLimit = try parameters.integer("limit", in: 1...WireProtocol.maximumSearchLimit)
        let givenOffset = try parameters.integer("offset", in: 0...Self.deepest)
        let givenMinimum = try parameters.number("min_score", in: -1...1)
        let givenExact = try parameters.flag("exact")
        let minimum = request.minScore ?? givenMinimum ?? -1
        limit = request.limit ?? givenLimit ?? WireProtocol.defaultSearchLimit
        offset = request.offset ?? givenOffset ?? 0
        minimumScore = Float(minimum)
        isExact = request.exact ?? givenExact ?? false
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
        guard (-1...1).contains(minimum) else { throw Problem(.badRequest, "`min_score` must be from -1 to 1") }
    }
}

extension Routes {
    /// What looks like this?
    var searchRoutes: [Route] {
        [
            Route(
                method: "POST",
                pattern: "/v1/search",
                parameters: CatalogQuery.parameterNames,
                body: .memory(byteCount: limits.searchBodyByteCount),
                isSearch: true,
                handle: search
            ),
            Route(
                method: "GET",
                pattern: "/v1/images/{id}/similar",
                parameters: CatalogQuery.parameterNames,
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
        // Everything that can be refused is, before an image is embedded.
        var query = try CatalogQuery(vector: [], call.parameters, request)
        let collection = try collection(call, named: request.collection)
        if let image {
            query.vector = try ask(control.embed(image))
        } else {
            let id = ImageID(rawValue: request.id ?? 0)
            guard let found = try stored(collection, { (catalog) throws(CatalogError) in try catalog.vector(of: id) })
            else {
                throw Problem(.notFound, "there is no image \(id)")
            }
            (query.vector, query.excluded) = (found, id)
        }
        let embedded = Instant.now
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
