internal import Catalog
internal import Platform
internal import Wire

extension Routes {
    /// Backup, verification and rebuilding of what is stored. One of them at a time; the long ones answer while they
    /// work.
    var maintenanceRoutes: [Route] {
        let small = BodyRule.memory(byteCount: limits.smallBodyByteCount)
        return [
            Route(method: "GET", pattern: "/v1/backup", access: .administer) { (_) throws(Problem) in
                try Response(json: BackupPlan(ask(control.backupContents()), version: control.version))
            },
            Route(
                method: "GET",
                pattern: "/v1/backup/collection",
                access: .administer,
                parameters: ["name", "compact"]
            ) { (call) throws(Problem) in
                let isCompacting = try call.parameters.flag("compact") ?? false
                return Response(
                    stream: try copy(named(call), isCompacting: isCompacting),
                    contentType: "application/octet-stream"
                )
            },
            Route(method: "GET", pattern: "/v1/backup/file", access: .administer, parameters: ["name"]) {
                (call) throws(Problem) in
                let name = try named(call)
                let file = try ask(control.openBackupFile(name))
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
                try Response(stream: lines("a verification", control.verifications()), contentType: Self.lines)
            },
            Route(method: "POST", pattern: "/v1/rebuild", access: .administer, body: small) { (_) throws(Problem) in
                try Response(stream: lines("a rebuilding", control.rebuildings()), contentType: Self.lines)
            },
        ]
    }

    private static let lines = "application/x-ndjson"

    private func named(_ call: Call) throws(Problem) -> String {
        guard let name = call.parameters["name"] else { throw Problem(.badRequest, "`name` is missing") }
        return name
    }

    /// A collection's file in pieces. The claim is held until the last piece is taken, or the reader goes away.
    private func copy(_ name: String, isCompacting: Bool) throws(Problem) -> ResponseStream {
        let claim = try MaintenanceClaim("a backup", maintenance)
        let job = try ask(control.copyCollection(name, isCompacting: isCompacting))
        return ResponseStream { () throws(Problem) in
            try withExtendedLifetime(claim) { () throws(Problem) in
                do throws(CatalogError) { return try job.next() ?? [] } catch { throw Problem(error) }
            }
        }
    }

    /// The progress of a job on one collection after the other, as lines.
    private func lines<Step: JobStep>(
        _ name: String,
        _ jobs: @autoclosure () -> [CatalogJob<Step>]
    ) throws(Problem) -> ResponseStream {
        let claim = try MaintenanceClaim(name, maintenance)
        let lines = JobLines(jobs())
        return ResponseStream { withExtendedLifetime(claim) { lines.next() } }
    }
}
