internal import DeviceReports
internal import Wire

/// Examines the daemon and the machine below it.
struct Doctor {
    let client: DaemonClient
    /// The machine that is looked at; tests give a made-up one.
    var machine = Machine()
    /// Lists the graphics devices where no daemon says what they are.
    var probe: () -> GraphicsReport? = { GraphicsProbe().report() }

    private static let log = "look at the log: journalctl -u likeness, or likenessd.log in the state folder"

    /// All findings, and how the command ends: 3 without a daemon, 5 with a failed check, else 0.
    func examine() -> (findings: [Finding], exitCode: ExitCode) {
        var findings: [Finding] = []
        let status = examineDaemon(&findings)
        if let status { findings += Self.findings(of: status) }
        findings += GraphicsFindings(status: status, probe: probe).all
        findings += machine.examine(
            roots: status?.roots.map(\.path) ?? [],
            backend: status?.device.backend,
            sockets: client.sockets
        )
        if findings.contains(where: { $0.name == "socket" && $0.state == .fail }) { return (findings, .noDaemon) }
        return (findings, findings.contains { $0.state == .fail } ? .failed : .ok)
    }

    private func examineDaemon(_ findings: inout [Finding]) -> StatusResponse? {
        do {
            let reply = try client.exchange(HTTPRequest(method: "GET", path: "/readyz", timeout: 10))
            findings.append(.ok("socket", "the daemon answers"))
            let readiness: ReadinessResponse = try DaemonClient.decode(reply.body)
            // A folder that is away has a finding of its own, with what to do about it.
            for check in readiness.checks where !check.ok && check.name != "roots" {
                findings.append(.fail("readiness", "\(check.name): \(check.detail)", fix: Self.log))
            }
            if readiness.ready { findings.append(.ok("readiness", "searches are answered")) }
            return try client.get("\(WireProtocol.prefix)/status")
        } catch {
            let error = ClientError(error)
            // The socket answered already when the failure came later.
            let name = findings.isEmpty ? "socket" : "daemon"
            findings.append(.fail(name, error.detail, fix: error.fix ?? Self.log))
            return nil
        }
    }

    /// What the daemon says of itself.
    static func findings(of status: StatusResponse) -> [Finding] {
        var findings = [modelFinding(status), deviceFinding(status), spaceFinding(status.resources)]
        for root in status.roots {
            let name = "folder \(root.path)"
            let readable = "let the daemon's user read it: setfacl -R -m u:likeness:rX DIR"
            if ["offline", "replaced"].contains(root.state) {
                let detail = root.detail.isEmpty ? root.state : root.detail
                let isReplaced = root.state == "replaced"
                let fix =
                    isReplaced
                    ? "put the former folder back, or likeness rescan --accept-missing DIR" : "mount it, or \(readable)"
                findings.append(.fail(name, detail, fix: fix))
            } else if !root.detail.isEmpty {
                findings.append(.warn(name, root.detail, fix: readable))
            } else {
                findings.append(.ok(name, root.state))
            }
        }
        if status.roots.isEmpty {
            findings.append(.warn("folders", "none is watched", fix: "likeness watch DIR"))
        }
        // The model's own finding says this already.
        findings += status.warnings.filter { $0.kind != "untrained-model" }
            .map { .warn($0.kind, $0.detail, fix: $0.fix) }
        return findings
    }

    private static func modelFinding(_ status: StatusResponse) -> Finding {
        let model = "\(status.model.name), head \(status.head)"
        guard status.model.untrained else { return .ok("model", model) }
        return .warn(
            "model",
            "\(model) is untrained: finds copies, not similar pictures",
            fix: "likeness model fetch vgg16 --use"
        )
    }

    private static func deviceFinding(_ status: StatusResponse) -> Finding {
        .ok("device", "\(status.device.backend): \(status.device.device) (\(status.device.reason))")
    }

    private static func spaceFinding(_ resources: StatusResponse.Resources) -> Finding {
        let free = "\(Text.bytes(resources.diskFreeBytes)) free where the collection is"
        let fix = "free some space, or move the state folder to another disk"
        return switch resources.diskFreeBytes {
        case ..<100_000_000: .fail("disk", free, fix: fix)
        case ..<1_000_000_000: .warn("disk", free, fix: fix)
        default: .ok("disk", free)
        }
    }
}
