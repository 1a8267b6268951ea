internal import Wire

extension Routes {
    /// Models: list, import, choose. The library of models says what may be a name.
    var modelRoutes: [Route] {
        [
            Route(method: "GET", pattern: "/v1/models") { (_) throws(Problem) in
                let models = try ask(control.models()).map { ModelBody($0) }
                let fetchable = try ask(control.manifests()).compactMap { FetchableModel($0) }
                return try Response(json: ModelList(models: models, fetchable: fetchable))
            },
            Route(
                method: "PUT",
                pattern: "/v1/models/{name}",
                access: .administer,
                parameters: ["preprocessing", "head", "manifest"],
                body: .file(byteCount: limits.modelByteCount)
            ) { (call) throws(Problem) in
                guard let file = call.file else { throw Problem(.badRequest, "the body is empty; send a weight file") }
                let request = ModelImport(
                    name: call.captures[0],
                    temporaryFile: file.path,
                    preprocessing: call.parameters["preprocessing"],
                    head: call.parameters["head"],
                    manifest: call.parameters["manifest"]
                )
                return try Response(status: 201, json: ModelBody(ask(control.importModel(request))))
            },
            Route(
                method: "POST",
                pattern: "/v1/models/{name}/use",
                access: .administer,
                body: .memory(byteCount: limits.smallBodyByteCount)
            ) { (call) throws(Problem) in
                let head = call.body.isEmpty ? nil : try decodeChange(ModelUseRequest.self, call).head
                try ask(control.useModel(name: call.captures[0], head: head))
                return try Response(status: 202, json: [String: String]())
            },
        ]
    }
}
