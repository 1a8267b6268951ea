internal import Wire

extension Routes {
    /// Models: list, import, choose.
    var modelRoutes: [Route] {
        [
            Route(method: "GET", pattern: "/v1/models") { (_) throws(Problem) in
                try Response(json: ModelList(models: control.models()))
            },
            Route(
                method: "PUT",
                pattern: "/v1/models/{name}",
                access: .administer,
                parameters: ["preprocessing", "head"],
                body: .file(byteCount: limits.modelByteCount)
            ) { (call) throws(Problem) in
                let name = try modelName(call.captures[0])
                guard let file = call.file else { throw Problem(.badRequest, "the body is empty; send a weight file") }
                let model = try control.importModel(
                    name: name,
                    temporaryFile: file.path,
                    preprocessing: call.parameters["preprocessing"],
                    head: call.parameters["head"]
                )
                return try Response(status: 201, json: model)
            },
            Route(
                method: "POST",
                pattern: "/v1/models/{name}/use",
                access: .administer,
                body: .memory(byteCount: limits.smallBodyByteCount)
            ) { (call) throws(Problem) in
                let name = try modelName(call.captures[0])
                let head = call.body.isEmpty ? nil : try decodeChange(ModelUseRequest.self, call).head
                try control.useModel(name: name, head: head)
                return try Response(status: 202, json: [String: String]())
            },
        ]
    }

    /// Checks a name that becomes part of a file's name.
    private func modelName(_ name: String) throws(Problem) -> String {
        let isPlain = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isPlain, (1...128).contains(name.utf8.count), !name.hasPrefix(".") else {
            throw Problem(
                .badRequest,
                "a model's name is 1 to 128 letters, digits, `.`, `_` and `-`, not beginning with `.`"
            )
        }
        return name
    }
}
