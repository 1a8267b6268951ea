internal import Platform
internal import Wire

extension Routes {
    /// Backup, verification and rebuilding of what is stored. One of them at a time; the long ones answer while they work.
    var maintenanceRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/backup", access: .administer) { (_) throws(Problem) in
                try Response(json: control.backupPlan())
            },
            Route(
                method: "GET",
                pattern: "/v1/backup/collection",
                access: .administer,
                parameters: ["name", "compact"]
            ) { (call) throws(Problem) in
                let isCompacting = try call.parameters.flag("compact") ?? false
                let stream = try control.copyCollection(named(call), isCompacting: isCompacting)
                return Response(stream: stream, contentType: "application/octet-stream")
            },
            Route(method: "GET", pattern: "/v1/backup/file", access: .administer, parameters: ["name"]) {
                (call) throws(Problem) in
                let file = try control.openBackupFile(named(call))
                let byteCount: UInt64
                do throws(SystemError) { byteCount = try file.status().byteCount } catch {
                    throw Problem(.internal, "\(error)")
                }
                var response = Response()
                response.fields = [("Content-Type", "application/octet-stream")]
                response.body = .file(Response.File(file, byteCount: Int(byteCount)))
                return response
            },
            Route(method: "POST", pattern: "/v1/verify", access: .administer, body: small) { (_) throws(Problem) in
                try Response(stream: control.verify(), contentType: Self.lines)
            },
            Route(method: "POST", pattern: "/v1/rebuild", access: .administer, body: small) { (_) throws(Problem) in
                try Response(stream: control.rebuild(), contentType: Self.lines)
            },
        ]
    }

    private static let lines = "application/x-ndjson"

    private func named(_ call: Call) throws(Problem) -> String {
        guard let name = call.parameters["name"] else { throw Problem(.badRequest, "`name` is missing") }
        return name
    }
}
