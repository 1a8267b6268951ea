import Foundation
import Platform
import TestSupport
import Testing
import Wire

@testable import Client

/// Commands that wait for the daemon to get somewhere.
struct WaitingTests {
    private func silent() -> Terminal { Terminal(hasColor: false, drawsProgress: false) { _, _ in } }

    @Test("watch sends the folder's absolute path and waits until it is loaded")
    func watch() throws {
        let folder = try TemporaryDirectory()
        let path = folder.url.resolvingSymlinksInPath().path
        let looks = Monitor(0)
        let daemon = try FakeDaemon { request in
            if request.target == "POST /v1/roots" {
                let root = try? JSONDecoder().decode(RootRequest.self, from: Data(request.body))
                return FakeDaemon.reply(
                    RootBody(
                        path: root?.path ?? "",
                        state: "scanning",
                        detail: "",
                        entries: 0,
                        indexedFiles: 0,
                        failedFiles: 0,
                        waitingFiles: 0
                    )
                )
            }
            let look = looks.withLockNotifyingAll { looks in
                looks += 1
                return looks
            }
            var status = makeStatus(
                waiting: look < 3 ? 5 : 0,
                rootState: look == 1 ? "scanning" : "live",
                rootWaiting: look < 3 ? 5 : 0
            )
            status.roots[0].path = path
            return FakeDaemon.reply(status)
        }
        let run = CommandRun(["watch", folder.path + "/./", "--wait"], socket: daemon.path, drawsProgress: true)
        #expect(run.exitCode == .ok, "\(run.errors)")
        #expect(run.errors.contains("watching \(path)\n"))
        #expect(run.errors.contains("37 %, 3 of 8, 12.5 images/s"))
        #expect(run.errors.hasSuffix("3 images searchable, 1 failed (likeness failures)\n"))
        #expect(run.output.isEmpty)
        #expect(looks.withLock { $0 } >= 4)
        #expect(daemon.requests.first?.body == Array(#"{"path":"\#(path)"}"#.utf8))
    }

    @Test("A wait needs quiet for a while, and ends when the folder is gone")
    func quiet() throws {
        let looks = Monitor(0)
        let daemon = try FakeDaemon { _ in
            let look = looks.withLockNotifyingAll { looks in
                looks += 1
                return looks
            }
            // Quiet at first sight: the rescan has not begun yet.
            return FakeDaemon.reply(makeStatus(rootState: look == 2 ? "scanning" : "live"))
        }
        let client = DaemonClient(sockets: [daemon.path])
        let wait = LoadingWait(client: client, terminal: silent(), interval: 0.02, quietTime: 0.1)
        #expect(try wait.run(root: nil).counts.images == 3)
        // At the earliest the third look begins the quiet time, and a later one ends it.
        #expect(looks.withLock { $0 } >= 4)
        #expect(throws: ClientError.self) { try wait.run(root: "/elsewhere") }
    }

    @Test("unwatch and rescan name the folder")
    func unwatchAndRescan() throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(202, "{}") }
        #expect(CommandRun(["unwatch", "/photos/"], socket: daemon.path).exitCode == .ok)
        #expect(CommandRun(["rescan"], socket: daemon.path).exitCode == .ok)
        #expect(daemon.requests.map(\.target) == ["DELETE /v1/roots", "POST /v1/rescan"])
        #expect(daemon.requests.map { String(decoding: $0.body, as: UTF8.self) } == [#"{"path":"/photos"}"#, "{}"])
    }

    @Test("rescan accepts what is missing of a folder that is named, and unwatch says that a configured one comes back")
    func acceptMissing() throws {
        let answer = RootRemovalResponse(
            warnings: [Warning(kind: "root-configured", detail: "It comes back.", fix: "take it out")]
        )
        let daemon = try FakeDaemon { request in
            request.target.hasPrefix("DELETE") ? FakeDaemon.reply(answer) : FakeDaemon.reply(202, "{}")
        }
        #expect(CommandRun(["rescan", "--accept-missing", "/photos"], socket: daemon.path).exitCode == .ok)
        #expect(CommandRun(["rescan", "--accept-missing"], socket: daemon.path).exitCode == .usage)
        let run = CommandRun(["unwatch", "/photos"], socket: daemon.path)
        #expect(run.exitCode == .ok)
        #expect(run.errors.contains("warning: It comes back. To change that: take it out"))
        let body = try #require(daemon.requests.first?.body)
        #expect(try JSONDecoder().decode(RootRequest.self, from: Data(body)).acceptMissing == true)
        #expect(daemon.requests.count == 2)
    }

    @Test("model import streams the file, also one of many pieces")
    func modelImport() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "my net.safetensors")
        let bytes = [UInt8]((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 / 7) })
        try Data(bytes).write(to: file)
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(makeStatus(model: "my net").model) }
        let run = CommandRun(["model", "import", file.path, "--preprocessing", "keras"], socket: daemon.path)
        #expect(run.exitCode == .ok, "\(run.errors)")
        let request = daemon.requests[0]
        #expect(request.target == "PUT /v1/models/my%20net?preprocessing=keras")
        #expect(request.body == bytes)
        #expect(CommandRun(["model", "import", folder.path], socket: daemon.path).exitCode == .failed)
    }

    @Test("model use waits until the daemon is back with the model")
    func modelUse() throws {
        let looks = Monitor(0)
        let daemon = try FakeDaemon { request in
            switch request.target {
            case "POST /v1/models/art/use": return FakeDaemon.reply(202, "{}")
            case "GET /readyz":
                let look = looks.withLockNotifyingAll { looks in
                    looks += 1
                    return looks
                }
                // Between stop and start: nothing, then not ready, then the new one.
                if look == 1 { return [] }
                return FakeDaemon.reply(look == 2 ? 503 : 200, #"{"ready":\#(look > 2),"checks":[]}"#)
            default: return FakeDaemon.reply(makeStatus(waiting: 4, model: "art", uptime: 0))
            }
        }
        let run = CommandRun(["model", "use", "art"], socket: daemon.path)
        #expect(run.exitCode == .ok, "\(run.errors)")
        #expect(run.errors == "using art, head max; 4 images to load\n")
    }

    @Test("model whiten waits until the daemon is back with the whitening that was learned, --off without any")
    func modelWhiten() throws {
        let looks = Monitor(0)
        let learned = WhiteningBody(vectors: 1234, sha256: "ab")
        let daemon = try FakeDaemon { request in
            switch request.target {
            case "PUT /v1/whitening": return FakeDaemon.reply(learned)
            case "DELETE /v1/whitening": return FakeDaemon.reply(204, "")
            case "GET /readyz": return FakeDaemon.reply(200, #"{"ready":true,"checks":[]}"#)
            default:
                let look = looks.withLockNotifyingAll { looks in
                    looks += 1
                    return looks
                }
                var status = makeStatus()
                // Before the restart, after it, and after the second one.
                status.whitening = [WhiteningBody(vectors: 5, sha256: "cd"), learned, learned, nil][min(look, 4) - 1]
                return FakeDaemon.reply(status)
            }
        }
        let on = CommandRun(["model", "whiten"], socket: daemon.path)
        #expect(on.exitCode == .ok && on.errors == "whitening is on, learned from 1,234 vectors\n", "\(on.errors)")
        let off = CommandRun(["model", "whiten", "--off"], socket: daemon.path)
        #expect(off.exitCode == .ok && off.errors == "whitening is off\n", "\(off.errors)")
    }

    @Test("model use fails when the daemon comes back with another model")
    func modelUseFails() throws {
        let daemon = try FakeDaemon { request in
            request.target == "GET /readyz"
                ? FakeDaemon.reply(200, #"{"ready":true,"checks":[]}"#)
                : FakeDaemon.reply(makeStatus(model: "old", uptime: 0))
        }
        let change = ModelChange(
            client: DaemonClient(sockets: [daemon.path]),
            terminal: silent(),
            name: "art",
            head: nil,
            timeout: 0.1
        )
        let error = #expect(throws: ClientError.self) { try change.wait() }
        #expect(error?.detail.contains("it uses old") == true)
    }
}
