internal import Wire

extension Routes {
    /// Life, readiness, and everything at a glance.
    var healthRoutes: [Route] {
        [
            Route(method: "GET", pattern: "/healthz", access: .open) { (_) throws(Problem) in
                Response(bytes: Array("ok\n".utf8), contentType: "text/plain; charset=utf-8")
            },
            Route(method: "GET", pattern: "/readyz") { (_) throws(Problem) in
                let readiness = ReadinessResponse(control.conditions(), indexFault: control.indexFault())
                return try Response(status: readiness.ready ? 200 : 503, json: readiness)
            },
            Route(method: "GET", pattern: "/metrics") { (_) throws(Problem) in
                let text = MetricsText(status: try status(of: nil), server: metrics.snapshot).text
                return Response(bytes: Array(text.utf8), contentType: "text/plain; version=0.0.4; charset=utf-8")
            },
            Route(method: "GET", pattern: "/v1/version") { (_) throws(Problem) in
                try Response(json: VersionResponse(control.version))
            },
            Route(method: "GET", pattern: "/v1/status", parameters: ["collection"]) { (call) throws(Problem) in
                try Response(json: status(of: call.parameters["collection"]))
            },
        ]
    }

    private func status(of collection: String?) throws(Problem) -> StatusResponse {
        let status = try ask(control.status(collection))
        return StatusResponse(status, of: collection, version: control.version, limits: limits)
    }
}
