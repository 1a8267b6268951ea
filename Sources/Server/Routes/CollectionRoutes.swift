internal import Catalog
internal import Wire

extension Routes {
    /// Collections: list, make, remove.
    var collectionRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/collections") { (_) throws(Problem) in
                try Response(json: CollectionList(collections: control.collections()))
            },
            Route(method: "GET", pattern: "/v1/collections/{name}") { (call) throws(Problem) in
                try Response(json: control.describeCollection(call.captures[0]))
            },
            Route(method: "POST", pattern: "/v1/collections", access: .administer, body: small) {
                (call) throws(Problem) in
                let request = try decodeChange(CollectionRequest.self, call)
                return try Response(status: 201, json: control.createCollection(request.name))
            },
            Route(method: "DELETE", pattern: "/v1/collections/{name}", access: .administer, body: small) {
                (call) throws(Problem) in
                try control.removeCollection(call.captures[0])
                return .noContent
            },
        ]
    }

    /// The collection that a request is about: the one that its body or its parameter `collection` names, else `default`.
    /// Nothing else in the server resolves names.
    func collection(_ call: Call, named name: String? = nil) throws(Problem) -> any ServedCollection {
        try control.collection(name ?? call.parameters["collection"])
    }

    /// Reads from a collection, or changes it.
    func stored<R>(
        _ collection: any ServedCollection,
        _ body: (any ImageCatalog) throws(CatalogError) -> R
    ) throws(Problem) -> R {
        do throws(CatalogError) {
            return try body(collection.catalog)
        } catch {
            // One that was removed meanwhile is closed: then that is the reason.
            _ = try control.collection(collection.name)
            throw Problem(error)
        }
    }
}
