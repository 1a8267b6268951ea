internal import Catalog
internal import Wire

extension Routes {
    /// Collections: list, make, remove.
    var collectionRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/collections") { (_) throws(Problem) in
                let all = control.collections
                let bodies = all.statuses.map { CollectionBody($0) } + all.unusable.map { CollectionBody($0) }
                return try Response(json: CollectionList(collections: bodies.sorted { $0.name < $1.name }))
            },
            Route(method: "GET", pattern: "/v1/collections/{name}") { (call) throws(Problem) in
                try Response(json: CollectionBody(ask(control.collections.find(call.captures[0])).status))
            },
            Route(method: "POST", pattern: "/v1/collections", access: .administer, body: small) {
                (call) throws(Problem) in
                let request = try decodeChange(CollectionRequest.self, call)
                let collection = try ask(control.collections.create(request.name))
                return try Response(status: 201, json: CollectionBody(collection.status))
            },
            Route(method: "DELETE", pattern: "/v1/collections/{name}", access: .administer, body: small) {
                (call) throws(Problem) in
                try ask(control.collections.remove(call.captures[0]))
                return .noContent
            },
        ]
    }

    /// The collection that a request is about: the one that its body or its parameter `collection` names, else
    /// `default`. Nothing else in the server resolves names.
    func collection(_ call: Call, named name: String? = nil) throws(Problem) -> any ServedCollection {
        try ask(control.collections.find(name ?? call.parameters["collection"]))
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
            _ = try ask(control.collections.find(collection.name))
            throw Problem(error)
        }
    }
}

extension Routes {
    /// Whitening of a collection. Both answer when the collection is written anew, which takes a minute for a million
    /// images, and the daemon then restarts in place.
    var whiteningRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(
                method: "PUT",
                pattern: "/v1/whitening",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let collection = try collection(call)
                return try Response(json: WhiteningBody(ask(collection.learnWhitening())))
            },
            Route(
                method: "DELETE",
                pattern: "/v1/whitening",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let collection = try collection(call)
                try ask(collection.removeWhitening())
                return .noContent
            },
        ]
    }
}
