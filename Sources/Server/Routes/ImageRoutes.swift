internal import Catalog
internal import Filters
internal import Foundation
internal import Glibc
internal import Ingestion
internal import Platform
internal import Wire

extension Routes {
    /// Images and the files that could not become one.
    var imageRoutes: [Route] {
        [
            Route(
                method: "GET",
                pattern: "/v1/images",
                parameters: ["collection", "cursor", "limit", "filter"],
                handle: listImages
            ),
            Route(
                method: "DELETE",
                pattern: "/v1/images",
                access: .administer,
                parameters: ["collection", "filter"],
                handle: excludeImages
            ),
            Route(method: "GET", pattern: "/v1/images/{id}", parameters: ["collection"]) { (call) throws(Problem) in
                let collection = try collection(call)
                let record = try image(call.captures[0], in: collection)
                return try Response(json: ImageBody(record, rootPaths(of: collection)))
            },
            Route(
                method: "DELETE",
                pattern: "/v1/images/{id}",
                access: .administer,
                parameters: ["collection"],
                handle: excludeImage
            ),
            Route(method: "GET", pattern: "/v1/images/{id}/content", parameters: ["collection"], handle: content),
            Route(
                method: "GET",
                pattern: "/v1/images/{id}/thumbnail",
                parameters: ["collection", "size"]
            ) { (call) throws(Problem) in
                let longSide = try call.parameters.integer("size", in: 16...1024) ?? 256
                let collection = try collection(call)
                let record = try image(call.captures[0], in: collection)
                let bytes = try ask(collection.thumbnail(record, longSide: longSide))
                return Response(bytes: bytes, contentType: "image/jpeg")
            },
            Route(
                method: "GET",
                pattern: "/v1/failures",
                parameters: ["collection", "cursor", "limit"],
                handle: listFailures
            ),
            Route(
                method: "GET",
                pattern: "/v1/exclusions",
                access: .administer,
                parameters: ["collection", "reason", "cursor", "limit"],
                handle: listExclusions
            ),
        ]
    }

    private func pageLimit(_ call: Call) throws(Problem) -> Int {
        try call.parameters.integer("limit", in: 1...WireProtocol.maximumPageLimit) ?? 100
    }

    private func listImages(_ call: Call) throws(Problem) -> Response {
        let limit = try pageLimit(call)
        let cursor = try call.parameters["cursor"].map { (text) throws(Problem) in try PageCursor.image(text) }
        let collection = try collection(call)
        // One more than asked for shows whether there is a next page.
        let filter = try call.parameters.filter()
        let found: [ImageRecord]
        var total: Int?
        if let filter {
            let matching = try stored(collection) { (catalog) throws(CatalogError) in
                try catalog.images(matching: filter, after: cursor, limit: limit + 1)
            }
            (found, total) = (matching.images, matching.total)
        } else {
            found = try stored(collection) { (catalog) throws(CatalogError) in
                try catalog.images(after: cursor, limit: limit + 1)
            }
        }
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { PageCursor.text(after: $0.id) } : nil
        let paths = try rootPaths(of: collection)
        let bodies = page.map { ImageBody($0, paths) }
        var response = try Response(json: ImagePage(images: bodies, next: next, total: total))
        if let next { response.fields.append(link(call, next, limit)) }
        return response
    }

    private func listFailures(_ call: Call) throws(Problem) -> Response {
        let limit = try pageLimit(call)
        let cursor = try call.parameters["cursor"].map { (text) throws(Problem) in try PageCursor.file(text) }
        let collection = try collection(call)
        let found = try stored(collection) { (catalog) throws(CatalogError) in
            try catalog.failures(after: cursor, limit: limit + 1)
        }
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { PageCursor.text(after: $0.key) } : nil
        let paths = try rootPaths(of: collection)
        let bodies = page.compactMap { FailureBody($0, paths) }
        var response = try Response(json: FailurePage(failures: bodies, next: next))
        if let next { response.fields.append(link(call, next, limit)) }
        return response
    }

    /// What is left out may be private, such as hidden files: only administrators see its names.
    private func listExclusions(_ call: Call) throws(Problem) -> Response {
        let limit = try pageLimit(call)
        let cursor = try call.parameters["cursor"].map { (text) throws(Problem) in try PageCursor.file(text) }
        let reason = try call.parameters["reason"].map { (text) throws(Problem) in
            guard let reason = ExclusionReason(rawValue: text) else {
                let known = ExclusionReason.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem(.badRequest, "`reason` is none of \(known)")
            }
            return reason
        }
        let collection = try collection(call)
        let found = try ask(collection.exclusions(reason: reason, after: cursor, limit: limit + 1))
        let page = found.prefix(limit)
        let next = found.count > limit ? page.last.map { PageCursor.text(after: $0.key) } : nil
        let paths = try rootPaths(of: collection)
        let bodies = page.map { ExclusionBody($0, paths) }
        return try Response(json: ExclusionPage(exclusions: bodies, next: next))
    }

    private func link(_ call: Call, _ cursor: String, _ limit: Int) -> (String, String) {
        // A collection that was found has a name that needs no escape.
        let collection = call.parameters["collection"].map { "collection=\($0)&" } ?? ""
        var query = "\(collection)cursor=\(cursor)&limit=\(limit)"
        let plain = CharacterSet(charactersIn: Self.plainCharacters)
        if let filter = call.parameters["filter"]?.addingPercentEncoding(withAllowedCharacters: plain) {
            query += "&filter=\(filter)"
        }
        return ("Link", "</\(call.head.path.joined(separator: "/"))?\(query)>; rel=\"next\"")
    }

    private func excludeImages(_ call: Call) throws(Problem) -> Response {
        guard let filter = try call.parameters.filter() else {
            throw Problem(.badRequest, "`filter` is missing: it says which images to remove")
        }
        guard !filter.isEmpty else {
            throw Problem(.badRequest, "the filter matches every image; to forget a whole folder, DELETE /v1/roots")
        }
        let collection = try collection(call)
        let removed = try stored(collection) { (catalog) throws(CatalogError) in
            try catalog.excludeImages(matching: filter)
        }
        return try Response(json: RemovalResponse(removed: removed))
    }

    private func excludeImage(_ call: Call) throws(Problem) -> Response {
        let id = try imageID(call.captures[0])
        let outcomes = try stored(collection(call)) { (catalog) throws(CatalogError) in
            try catalog.apply([.exclude(id)])
        }
        guard case .done? = outcomes.first else { throw Problem(.notFound, "there is no image \(id)") }
        return .noContent
    }

    private func content(_ call: Call) throws(Problem) -> Response {
        let collection = try collection(call)
        let record = try image(call.captures[0], in: collection)
        let descriptor = try ask(collection.open(record))
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(.conflict, "the image's file is not a regular file any more")
        }
        var response = Response()
        response.body = .file(Response.File(descriptor, byteCount: Int(status.st_size)))
        response.fields = [
            ("Content-Type", "image/\(record.format)"),
            ("Content-Disposition", "inline; filename*=UTF-8''\(percentEncoded(record.key.path.name))"),
        ]
        return response
    }

    /// RFC 8187: everything but letters, digits and a few signs as `%XX`, so no name can end the field.
    private func percentEncoded(_ name: ArraySlice<UInt8>) -> String {
        String(decoding: name, as: UTF8.self)
            .addingPercentEncoding(withAllowedCharacters: CharacterSet(charactersIn: Self.plainCharacters)) ?? "image"
    }

    private static let plainCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
}
