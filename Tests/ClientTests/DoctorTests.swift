import Foundation
import TestSupport
import Testing
import Wire

@testable import Client

struct DoctorTests {
    /// A machine of files: `proc`, `dev`, `etc`, `run` below a folder.
    private func makeMachine(watches: Int, group: String = "") throws -> (TemporaryDirectory, Machine) {
        let folder = try TemporaryDirectory()
        for path in ["proc/sys/fs/inotify", "dev/dri", "etc", "run/likeness", "photos/a/b"] {
            try FileManager.default.createDirectory(
                at: folder.url.appending(path: path),
                withIntermediateDirectories: true
            )
        }
        try "\(watches)\n".write(
            to: folder.url.appending(path: "proc/sys/fs/inotify/max_user_watches"),
            atomically: false,
            encoding: .utf8
        )
        try group.write(to: folder.url.appending(path: "etc/group"), atomically: false, encoding: .utf8)
        return (folder, Machine(root: folder.path + "/"))
    }

    private func state(_ name: String, _ findings: [Finding]) -> Finding.State? {
        findings.first { $0.name == name }?.state
    }

    @Test("Watches are compared with the folders' directories")
    func watches() throws {
        let (folder, machine) = try makeMachine(watches: 1000)
        let photos = [folder.path + "/photos"]
        #expect(
            state("watches", machine.examine(roots: photos, backend: nil, sockets: [Locations.systemSocket])) == .ok
        )
        let (poor, poorMachine) = try makeMachine(watches: 3)
        let finding = poorMachine.examine(roots: [poor.path + "/photos"], backend: nil, sockets: []).first {
            $0.name == "watches"
        }
        #expect(finding?.state == .warn)
        #expect(finding?.detail == "3 watches allowed for 3 directories")
        #expect(finding?.fix?.contains("fs.inotify.max_user_watches=131072") == true)
    }

    @Test("A GPU that is there but not used is a warning")
    func graphics() throws {
        let (folder, machine) = try makeMachine(watches: 1000)
        #expect(state("GPU", machine.examine(roots: [], backend: "cpu", sockets: [Locations.systemSocket])) == .ok)
        try Data().write(to: folder.url.appending(path: "dev/dri/renderD128"))
        #expect(state("GPU", machine.examine(roots: [], backend: "cpu", sockets: [Locations.systemSocket])) == .warn)
        #expect(state("GPU", machine.examine(roots: [], backend: "vulkan", sockets: [Locations.systemSocket])) == .ok)
    }

    @Test("A socket folder that anybody may write is a failure")
    func permissions() throws {
        let (folder, machine) = try makeMachine(watches: 1000, group: "root:x:0:\nlikeness:x:990:\n")
        let run = folder.path + "/run/likeness"
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: run)
        #expect(
            state("permissions", machine.examine(roots: [], backend: nil, sockets: [Locations.systemSocket])) == .ok
        )
        try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: run)
        #expect(
            state("permissions", machine.examine(roots: [], backend: nil, sockets: [Locations.systemSocket])) == .fail
        )
        let other = machine.examine(roots: [], backend: nil, sockets: ["/photos/s", "/photos/t", "/nowhere/s"])
        #expect(
            other.filter { $0.name == "permissions" }.map(\.detail) == ["\(folder.path)/photos is closed to others"]
        )
        #expect(state("group", other) == nil)
        try FileManager.default.setAttributes([.posixPermissions: 0o1777], ofItemAtPath: folder.path + "/photos")
        #expect(state("permissions", machine.examine(roots: [], backend: nil, sockets: ["/photos/s"])) == .warn)
        #expect(state("group", machine.examine(roots: [], backend: nil, sockets: [Locations.systemSocket])) != nil)
    }

    @Test("The daemon's own words become findings")
    func status() {
        var status = makeStatus(warnings: [Warning(kind: "disk-full", detail: "full", fix: "free some")])
        status.resources.diskFreeBytes = 50_000_000
        status.roots[0].state = "offline"
        let findings = Doctor.findings(of: status)
        #expect(state("model", findings) == .warn)
        #expect(state("disk", findings) == .fail)
        #expect(state("folder /photos", findings) == .fail)
        #expect(state("disk-full", findings) == .warn)
        status.model.untrained = false
        status.roots = []
        #expect(state("model", Doctor.findings(of: status)) == .ok)
        #expect(state("folders", Doctor.findings(of: status)) == .warn)
    }

    @Test("doctor works without a daemon, and says so by exit code 3")
    func noDaemon() throws {
        let folder = try TemporaryDirectory()
        let run = CommandRun(["doctor"], socket: folder.path + "/none")
        #expect(run.exitCode == .noDaemon)
        #expect(run.output.hasPrefix("fail  socket: no daemon listens"))
        #expect(run.output.contains("watches:"))
    }

    @Test("A daemon that is not ready fails the check with its reason")
    func notReady() throws {
        let daemon = try FakeDaemon { request in
            request.target == "GET /readyz"
                ? FakeDaemon.reply(503, #"{"ready":false,"checks":[{"name":"index","ok":false,"detail":"opening"}]}"#)
                : FakeDaemon.reply(makeStatus())
        }
        let (_, machine) = try makeMachine(watches: 100_000)
        let report = Doctor(client: DaemonClient(sockets: [daemon.path]), machine: machine) { nil }.examine()
        #expect(report.exitCode == .failed)
        #expect(report.findings.contains { $0.name == "readiness" && $0.detail == "index: opening" })
        let json = CommandRun(["doctor", "--json"], socket: daemon.path)
        #expect(json.output.contains(#"{"findings":[{"#))
    }
}
