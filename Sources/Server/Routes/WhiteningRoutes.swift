internal import Wire

extension Routes {
    /// Whitening of a collection. Both answer when the collection is written anew, which takes a minute for a million images,
    /// and the daemon then restarts in place.
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
                try Response(json: collection(call).learnWhitening())
            },
            Route(
                method: "DELETE",
                pattern: "/v1/whitening",
                access: .administer,
                parameters: ["collection"],
                body: small
            ) { (call) throws(Problem) in
                try collection(call).removeWhitening()
                return .noContent
            },
        ]
    }
}
