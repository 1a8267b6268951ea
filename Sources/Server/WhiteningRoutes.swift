internal import Wire

extension Routes {
    /// Whitening of the collection in use. Both answer when the collection is written anew, which takes a minute for a million images,
    /// and the daemon then restarts in place.
    var whiteningRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "PUT", pattern: "/v1/whitening", access: .administer, body: small) { (_) throws(Problem) in
                try Response(json: control.learnWhitening())
            },
            Route(method: "DELETE", pattern: "/v1/whitening", access: .administer, body: small) {
                (_) throws(Problem) in
                try control.removeWhitening()
                return .noContent
            },
        ]
    }
}
