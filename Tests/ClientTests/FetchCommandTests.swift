import Foundation
import Platform
import TestSupport
import Testing
import Wire

@testable import Client

/// `likeness model fetch` from the command line to the daemon's import.
struct FetchCommandTests {
    let folder: TemporaryDirectory
    let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) }

    init() throws { folder = try TemporaryDirectory() }

    private var cached: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder.path + "/cache/likeness")) ?? []
    }

    private func model(address: String, sha256: String? = nil) -> FetchableModel {
        FetchableModel(
            name: "net-a",
            aliases: ["net"],
            description: "for tests",
            licence: "CC0",
            source: .init(
                address: address,
                format: "safetensors",
                bytes: content.count,
                sha256: sha256 ?? SHA256Digest(of: content).description,
                md5: nil
            )
        )
    }

    /// A daemon that knows one manifest and takes any model.
    private func daemon(_ fetchable: FetchableModel, has names: [String] = ["old"]) throws -> FakeDaemon {
        try FakeDaemon { request in
            switch request.target {
            case "GET /v1/models":
                FakeDaemon.reply(ModelList(models: names.map { makeStatus(model: $0).model }, fetchable: [fetchable]))
            case "POST /v1/models/net/use": FakeDaemon.reply(404, #"{"kind":"not-found","detail":"no model net"}"#)
            case "GET /readyz": FakeDaemon.reply(200, #"{"ready":true,"checks":[]}"#)
            case "GET /v1/status": FakeDaemon.reply(makeStatus(model: "net-a", uptime: 0))
            default: FakeDaemon.reply(makeStatus(model: "net-a").model)
            }
        }
    }

    private func run(_ words: [String], _ daemon: FakeDaemon) -> CommandRun {
        CommandRun(
            ["model"] + words,
            socket: daemon.path,
            environment: ["XDG_CACHE_HOME": folder.path + "/cache", "HOME": "/nowhere"]
        )
    }

    @Test func `a name is downloaded, checked and handed over; nothing stays behind`() throws {
        let server = try FileServer.file(content)
        let daemon = try daemon(model(address: server.address))
        let run = run(["fetch", "net"], daemon)
        #expect(run.exitCode == .ok, "\(run.errors)")
        #expect(run.output.isEmpty)
        #expect(daemon.requests.map(\.target) == ["GET /v1/models", "PUT /v1/models/net-a?manifest=net-a"])
        #expect(daemon.requests[1].body == content)
        for part in ["fetching net-a from 127.0.0.1, 100 kB", "licence: CC0", "imported net-a: VGG16"] {
            #expect(run.errors.contains(part), "\(part) in \(run.errors)")
        }
        #expect(cached.isEmpty)
        let json = self.run(["fetch", "net", "--json"], daemon)
        #expect(try JSONDecoder().decode(ModelBody.self, from: Data(json.output.utf8)).name == "net-a")
        #expect(json.errors.isEmpty)
    }

    @Test func `a manifest of one's own goes along`() throws {
        let server = try FileServer.file(content)
        let text = try String(decoding: JSONEncoder().encode(model(address: server.address)), as: UTF8.self)
        let file = folder.path + "/mine.json"
        try Data(text.utf8).write(to: URL(filePath: file))
        let daemon = try daemon(model(address: "https://example.org/elsewhere"))
        #expect(run(["fetch", file], daemon).exitCode == .ok)
        #expect(daemon.requests[1].target == "PUT /v1/models/net-a?manifest=\(HTTPRequest.encode(text))")
        for (bad, word) in [
            ("{}", "mine.json is not a model manifest: `name` is missing\n"),
            (text.replacing("net-a", with: "../x"), "cannot name"), ("", "empty"),
        ] {
            try Data(bad.utf8).write(to: URL(filePath: file))
            let run = run(["fetch", file], daemon)
            #expect(run.exitCode != .ok)
            #expect(run.errors.contains(word), "\(run.errors)")
        }
    }

    @Test func `what is there is said to be there`() throws {
        let daemon = try daemon(model(address: "https://example.org/w"), has: ["net-a"])
        let run = run(["fetch", "net"], daemon)
        #expect(run.exitCode == .ok)
        #expect(run.errors.hasPrefix("the daemon has net-a already\n"))
        #expect(daemon.requests.count == 1)
    }

    @Test func `a file that came by other means is checked as well`() throws {
        let file = folder.path + "/w.h5"
        try Data(content).write(to: URL(filePath: file))
        let daemon = try daemon(model(address: "https://example.org/w"))
        #expect(run(["fetch", "net", "--from", file], daemon).exitCode == .ok)
        #expect(daemon.requests[1].body == content)
        try Data(content.reversed()).write(to: URL(filePath: file))
        let wrong = run(["fetch", "net", "--from", file, "--json"], daemon)
        #expect(wrong.exitCode == .failed)
        #expect(wrong.errors.contains(#""kind":"wrong-digest""#))
        try Data([1]).write(to: URL(filePath: file))
        #expect(run(["fetch", "net", "--from", file], daemon).errors.contains("it has 1 bytes, not 100,000"))
        #expect(!daemon.requests.dropFirst(2).contains { $0.line.hasPrefix("PUT") })
    }

    @Test func `a wrong digest reaches no daemon, and a refused import keeps the download`() throws {
        let server = try FileServer.file(content)
        let wrong = try daemon(model(address: server.address, sha256: String(repeating: "0", count: 64)))
        let run = run(["fetch", "net"], wrong)
        #expect(run.exitCode == .failed)
        #expect(run.errors.contains("where sha256 0000"))
        #expect(wrong.requests.count == 1)
        #expect(cached.isEmpty)

        let list = ModelList(models: [], fetchable: [model(address: server.address)])
        let forbidding = try FakeDaemon { request in
            request.target == "GET /v1/models"
                ? FakeDaemon.reply(list) : FakeDaemon.reply(403, #"{"kind":"forbidden","detail":"no"}"#)
        }
        let refused = self.run(["fetch", "net"], forbidding)
        #expect(refused.exitCode == .refused)
        #expect(refused.errors.contains("the download is kept: --from \(folder.path)/cache/likeness/net-a.part"))
        #expect(cached == ["net-a.part"])
        #expect(self.run(["fetch", "net"], forbidding).exitCode == .refused)
        #expect(server.requests.count == 2)
    }

    @Test func `without a daemon nothing is downloaded; unknown names have neighbours`() throws {
        let server = try FileServer.file(content)
        let daemon = try daemon(model(address: server.address))
        let nobody = CommandRun(["model", "fetch", "net"], socket: folder.path + "/none")
        #expect(nobody.exitCode == .noDaemon)
        let unknown = run(["fetch", "nit-a"], daemon)
        #expect(unknown.exitCode == .refused)
        #expect(unknown.errors.contains("did you mean likeness model fetch net-a?"))
        #expect(run(["fetch", "net", "--from", "http://example.org/w"], daemon).exitCode == .usage)
        #expect(server.requests.isEmpty)
    }

    @Test func `--use switches to it, and a short name is enough for model use`() throws {
        let server = try FileServer.file(content)
        let daemon = try daemon(model(address: server.address))
        let fetched = run(["fetch", "net", "--use"], daemon)
        #expect(fetched.exitCode == .ok, "\(fetched.errors)")
        #expect(fetched.errors.contains("using net-a, head max"))
        #expect(daemon.requests.contains { $0.target == "POST /v1/models/net-a/use" })

        let missing = run(["use", "net"], daemon)
        #expect(missing.exitCode == .refused)
        #expect(missing.errors.contains("likeness model fetch net --use"))
        let nobody = try FakeDaemon { request in
            request.target == "GET /v1/models"
                ? FakeDaemon.reply(ModelList(models: [], fetchable: []))
                : FakeDaemon.reply(404, #"{"kind":"not-found","detail":"no model nit"}"#)
        }
        let unknown = run(["use", "nit"], nobody)
        #expect(unknown.exitCode == .refused)
        #expect(unknown.errors.contains("likeness model list"))
        let present = try self.daemon(model(address: server.address), has: ["net-a"])
        #expect(run(["use", "net"], present).errors.contains("using net-a"))
    }

    @Test func `the list shows what can be fetched and is not there`() throws {
        let fetchable = model(address: "https://example.org/w")
        let lines = try run(["list"], daemon(fetchable)).output.split(separator: "\n")
        #expect(lines.suffix(2) == ["can be fetched (likeness model fetch NAME):", "  net-a, net  100 kB  CC0"])
        #expect(try !run(["list"], daemon(fetchable, has: ["net-a"])).output.contains("fetch"))
    }
}
