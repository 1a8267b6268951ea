internal import Wire

extension Routes {
    /// Watched folders.
    var administrativeRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/roots") { (_) throws(Problem) in
                try Response(json: RootList(roots: control.status().roots))
            },
            Route(method: "POST", pattern: "/v1/roots", access: .administer, body: small) { (call) throws(Problem) in
                guard let path = try rootPath(call) else { throw Self.pathMissing }
                return try Response(status: 201, json: control.addRoot(path))
            },
            Route(
                method: "DELETE",
                pattern: "/v1/roots",
                access: .administer,
                parameters: ["path"],
                body: small
            ) { (call) throws(Problem) in
                guard let path = try rootPath(call) else { throw Self.pathMissing }
                try control.removeRoot(path)
                return .noContent
            },
            Route(method: "POST", pattern: "/v1/rescan", access: .administer, body: small) { (call) throws(Problem) in
                try control.rescan(try rootPath(call))
                return try Response(status: 202, json: [String: String]())
            },
        ]
    }

    private static var pathMissing: Problem {
        Problem(.badRequest, "`path` is missing; send {\"path\":\"/absolute/path\"} as application/json")
    }

    /// The folder that a body or parameter names; nil when there is neither.
    private func rootPath(_ call: Call) throws(Problem) -> String? {
        let path =
            if call.body.isEmpty {
                call.parameters["path"]
            } else {
                try decodeChange(RootRequest.self, call).path
            }
        guard let path else { return nil }
        guard path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw Problem(.badRequest, "`path` must be an absolute path")
        }
        return path
    }

    /// A change's JSON body. Only this type of content is taken: no page of a browser can send it unasked.
    func decodeChange<Value: Decodable>(_: Value.Type, _ call: Call) throws(Problem) -> Value {
        guard call.head.mediaType == "application/json" else {
            throw Problem(.unsupportedMediaType, "send JSON with Content-Type: application/json")
        }
        return try JSON.decode(Value.self, from: call.body)
    }
}
