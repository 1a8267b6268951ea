internal import Ingestion
internal import Wire

extension Routes {
    /// Watched folders.
    var administrativeRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/roots", parameters: ["collection"]) { (call) throws(Problem) in
                let roots = try statuses(of: call.parameters["collection"]).flatMap { one in
                    one.work.roots.map { RootBody($0, of: one.name) }
                }
                return try Response(json: RootListResponse(roots: roots))
            },
            Route(
                method: "POST",
                pattern: "/v1/roots",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let request = try rootRequest(call)
                guard let path = request.path else { throw Self.pathMissing }
                let added = try ask(
                    control.collections.addRoot(path, to: request.collection, settings: request.settings ?? [:])
                )
                return try Response(status: 201, json: RootBody(added.root, of: added.collection))
            },
            Route(
                method: "PATCH",
                pattern: "/v1/roots",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let request = try rootRequest(call)
                guard let path = request.path else { throw Self.pathMissing }
                let changed = try ask(
                    control.collections.changeRoot(path, of: request.collection, settings: request.settings ?? [:])
                )
                return try Response(json: RootBody(changed.root, of: changed.collection))
            },
            Route(
                method: "DELETE",
                pattern: "/v1/roots",
                access: .administer,
                parameters: ["path", "collection"],
                body: small
            ) { (call) throws(Problem) in
                let request = try rootRequest(call)
                guard let path = request.path else { throw Self.pathMissing }
                guard try ask(control.collections.removeRoot(path, from: request.collection)) else { return .noContent }
                return try Response(json: RootRemovalResponse(warnings: [.returning(path)]))
            },
            Route(
                method: "POST",
                pattern: "/v1/rescan",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let request = try rootRequest(call)
                if request.acceptMissing == true {
                    guard let path = request.path else { throw Self.pathMissing }
                    try ask(control.collections.acceptMissing(in: path, of: request.collection))
                    return try Response(status: 202, json: [String: String]())
                }
                try ask(control.collections.rescan(request.path, in: request.collection))
                return try Response(status: 202, json: [String: String]())
            },
            loading("pause", isPaused: true),
            loading("cancel", isPaused: true, drops: true),
            loading("resume", isPaused: false),
            Route(
                method: "POST",
                pattern: "/v1/failures/retry",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                let request = call.body.isEmpty ? RetryRequest() : try decodeChange(RetryRequest.self, call)
                if let path = request.path { try Self.checkPath(path) }
                let queued = try ask(
                    control.collections.retryFailures(
                        kind: request.kind,
                        below: request.path,
                        in: request.collection ?? call.parameters["collection"]
                    )
                )
                return try Response(status: 202, json: RetryResponse(queued: queued))
            },
        ]
    }

    /// Begins or ends a pause of loading.
    private func loading(_ verb: String, isPaused: Bool, drops: Bool = false) -> Route {
        Route(
            method: "POST",
            pattern: "/v1/loading/\(verb)",
            access: .administer,
            parameters: ["collection"],
            body: .memory(byteCount: limits.smallBodyByteCount)
        ) { (call) throws(Problem) in
            let request = try rootRequest(call)
            try ask(
                control.collections.setLoading(
                    isPaused: isPaused,
                    of: request.path,
                    in: request.collection,
                    drops: drops
                )
            )
            return .noContent
        }
    }

    /// Of one collection, or of all with nil.
    private func statuses(of name: String?) throws(Problem) -> [CollectionStatus] {
        guard let name else { return control.collections.statuses }
        return [try ask(control.collections.find(name)).status]
    }

    private static var pathMissing: Problem {
        Problem(.badRequest, "`path` is missing; send {\"path\":\"/absolute/path\"} as application/json")
    }

    /// The folder and the collection that body and parameters name; what neither does is nil.
    private func rootRequest(_ call: Call) throws(Problem) -> RootRequest {
        var request = RootRequest(path: nil)
        if !call.body.isEmpty { request = try decodeChange(RootRequest.self, call) }
        request.path = request.path ?? call.parameters["path"]
        request.collection = request.collection ?? call.parameters["collection"]
        if let path = request.path { try Self.checkPath(path) }
        return request
    }

    private static func checkPath(_ path: String) throws(Problem) {
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw Problem(.badRequest, "`path` must be an absolute path")
        }
    }

    /// A change's JSON body. Only this type of content is taken: no page of a browser can send it unasked.
    func decodeChange<Value: Decodable>(_: Value.Type, _ call: Call) throws(Problem) -> Value {
        guard call.head.mediaType == "application/json" else {
            throw Problem(.unsupportedMediaType, "send JSON with Content-Type: application/json")
        }
        return try JSON.decode(Value.self, from: call.body)
    }
}
