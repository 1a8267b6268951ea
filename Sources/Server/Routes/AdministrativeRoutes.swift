internal import Filters
internal import Ingestion
internal import Platform
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
            settings("POST", status: 201) { (path, collection, settings) throws(DaemonError) in
                try control.collections.addRoot(path, to: collection, settings: settings)
            },
            settings("PATCH", status: 200) { (path, collection, settings) throws(DaemonError) in
                try control.collections.changeRoot(path, of: collection, settings: settings)
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
                let request = try rootRequest(call, isFolder: false)
                let place = try place(request.path, request.pathBytes)
                if request.acceptMissing == true {
                    guard let place else { throw Self.pathMissing }
                    let path = try Self.text(of: place)
                    try ask(control.collections.acceptMissing(in: path, of: request.collection))
                    return try Response(status: 202, json: [String: String]())
                }
                try ask(control.collections.rescan(place, in: request.collection))
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
                let place = try place(request.path, request.pathBytes)
                let queued = try ask(
                    control.collections.retryFailures(
                        kind: request.kind,
                        below: place,
                        in: request.collection ?? call.parameters["collection"]
                    )
                )
                return try Response(status: 202, json: RetryResponse(queued: queued))
            },
        ]
    }

    /// Watches a folder, or changes what is looked at below it.
    private func settings(
        _ method: String,
        status: Int,
        _ change:
            @escaping @Sendable (_ path: String, _ collection: String?, _ settings: [String: JSONValue])
            throws(DaemonError) -> (root: RootStatus, collection: String)
    ) -> Route {
        Route(
            method: method,
            pattern: "/v1/roots",
            access: .administer,
            parameters: ["collection"],
            body: .memory(byteCount: limits.smallBodyByteCount)
        ) { (call) throws(Problem) in
            let request = try rootRequest(call)
            guard let path = request.path else { throw Self.pathMissing }
            let changed = try ask(change(path, request.collection, request.settings ?? [:]))
            return try Response(status: status, json: RootBody(changed.root, of: changed.collection))
        }
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
    ///
    /// - Parameters:
    ///   - call: of a route of watched folders.
    ///   - isFolder: the path is a watched folder's own, and so text; else it is as it was given.
    /// - Returns: what was asked for.
    /// - Throws: `.badRequest` for a body or path that cannot be used.
    private func rootRequest(_ call: Call, isFolder: Bool = true) throws(Problem) -> RootRequest {
        var request = RootRequest(path: nil)
        if !call.body.isEmpty { request = try decodeChange(RootRequest.self, call) }
        if request.pathBytes == nil { request.path = request.path ?? call.parameters["path"] }
        request.collection = request.collection ?? call.parameters["collection"]
        if isFolder, let place = try place(request.path, request.pathBytes) {
            request.path = try Self.text(of: place)
            request.pathBytes = nil
        }
        return request
    }

    private static func text(of folder: RelativePath) throws(Problem) -> String {
        guard let text = String(validating: folder.bytes, as: UTF8.self) else {
            throw Problem(.badRequest, "the path of a watched folder has to be UTF-8; what lies in it need not be")
        }
        return text
    }

    /// What `path`, or `path_bytes` in its place, names.
    private func place(_ path: String?, _ pathBytes: String?) throws(Problem) -> RelativePath? {
        guard path == nil || pathBytes == nil else {
            throw Problem(.badRequest, "give either `path` or `path_bytes`")
        }
        let bytes: [UInt8]
        switch (path, pathBytes) {
        case (nil, nil): return nil
        case (let path?, _): bytes = Array(path.utf8)
        case (nil, let encoded?):
            guard let decoded = [UInt8](percentEncoded: encoded) else {
                throw Problem(
                    .badRequest,
                    "`path_bytes` is no percent-encoding: %XX for each byte that is no letter or digit"
                )
            }
            bytes = decoded
        }
        guard bytes.first == UInt8(ascii: "/"), !bytes.contains(0) else {
            throw Problem(.badRequest, "`\(path == nil ? "path_bytes" : "path")` must be an absolute path")
        }
        return RelativePath(bytes: bytes)
    }

    /// A change's JSON body. Only this type of content is taken: no page of a browser can send it unasked.
    func decodeChange<Value: Decodable>(_: Value.Type, _ call: Call) throws(Problem) -> Value {
        guard call.head.mediaType == "application/json" else {
            throw Problem(.unsupportedMediaType, "send JSON with Content-Type: application/json")
        }
        return try JSON.decode(Value.self, from: call.body)
    }
}
