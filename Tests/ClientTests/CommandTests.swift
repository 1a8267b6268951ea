import Filters
import Foundation
import Glibc
import Platform
import TestSupport
import Testing
import Wire

@testable import Client

/// Whole command lines against a scripted daemon.
struct CommandTests {
    @Test("search sends the file's bytes and prints aligned scores and paths")
    func search() throws {
        let folder = try TemporaryDirectory()
        let photo = folder.url.appending(path: "q.jpg")
        try Data([0xFF, 0xD8, 0x00]).write(to: photo)
        let daemon = try FakeDaemon { _ in
            .init(FakeDaemon.reply(makeResponse([(1, "/photos/a.jpg"), (-0.25, "/x\ny")])))
        }
        let run = CommandRun(
            ["search", photo.path, "--limit", "5", "--min-score", "-0.5", "--exact"],
            socket: daemon.path
        )
        #expect(run.exitCode == .ok)
        #expect(run.output == " 1.0000  /photos/a.jpg\n-0.2500  /x\\ny\n")
        let request = try #require(daemon.requests.first)
        #expect(request.target == "POST /v1/search?limit=5&min_score=-0.5&exact=true")
        #expect(request.body == [0xFF, 0xD8, 0x00])
        #expect(request.fields["host"] == "likeness")
    }

    @Test("search --id asks by number; colours only where they are wanted")
    func searchByID() throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(makeResponse([(0.95, "/a")])) }
        let run = CommandRun(["search", "--id", "7", "--limit", "2"], socket: daemon.path, hasColor: true)
        #expect(run.output == "\u{1B}[32m0.9500\u{1B}[0m  /a\n")
        let request = try JSONDecoder().decode(SearchRequest.self, from: Data(daemon.requests[0].body))
        #expect(request == SearchRequest(id: 7, limit: 2))
        #expect(CommandRun(["search", "a.jpg", "--id", "7"], socket: daemon.path).exitCode == .usage)
        #expect(CommandRun(["search"], socket: daemon.path).exitCode == .usage)
    }

    @Test("No result is exit code 1, and --json prints the reply as it came")
    func noResult() throws {
        let body = #"{"results":[],"total":0,"took_ms":{"embed":0,"search":0,"load":0,"total":0},"future":1}"#
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(200, body) }
        let json = CommandRun(["search", "--id", "1", "--json"], socket: daemon.path)
        #expect(json.exitCode == .noResult)
        #expect(json.output == body + "\n")
        let plain = CommandRun(["search", "--id", "1"], socket: daemon.path)
        #expect(plain.output.isEmpty)
        #expect(plain.errors.contains("no image is loaded yet"))
    }

    @Test(
        "Refusals and failures have their exit codes, the daemon's words and a next step",
        arguments: [
            (403, "forbidden", ExitCode.refused), (422, "image-corrupt", .refused), (404, "not-found", .noResult),
            (413, "too-large", .refused), (500, "internal", .failed), (507, "storage-full", .failed),
            (503, "not-ready", .failed), (418, "of-the-future", .refused),
        ]
    )
    func problems(status: Int, kind: String, exitCode: ExitCode) throws {
        let daemon = try FakeDaemon { _ in
            FakeDaemon.reply(status, #"{"kind":"\#(kind)","detail":"so it is"}"#, type: "application/problem+json")
        }
        let run = CommandRun(["status"], socket: daemon.path)
        #expect(run.exitCode == exitCode)
        #expect(run.output.isEmpty)
        #expect(run.errors.hasPrefix("likeness: so it is\n"))
        let json = CommandRun(["status", "--json"], socket: daemon.path)
        #expect(json.errors.contains(#""kind":"\#(kind)""#))
    }

    @Test("Nobody there is exit code 3 with the next step")
    func noDaemon() throws {
        let folder = try TemporaryDirectory()
        let run = CommandRun(["status"], socket: folder.path + "/none")
        #expect(run.exitCode == .noDaemon)
        #expect(run.errors.contains("systemctl start likeness.socket"))
        let long = CommandRun(["status", "--socket", "/" + String(repeating: "x", count: 200)], socket: "")
        #expect(long.exitCode == .failed)
    }

    @Test("A socket that is closed to the caller is exit code 4 and names the group")
    func closedSocket() {
        let refusal = DaemonClient.refusal(of: SystemError(code: EACCES, operation: "connect"), path: "/s")
        #expect(refusal?.exitCode == .refused)
        #expect(refusal?.fix?.contains("usermod -aG likeness") == true)
        #expect(DaemonClient.refusal(of: SystemError(code: ECONNREFUSED, operation: "connect"), path: "/s") == nil)
    }

    @Test("A refusal before the body was read arrives all the same")
    func earlyRefusal() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "big.safetensors")
        try Data(count: 8 << 20).write(to: file)
        let refusal = FakeDaemon.reply(413, #"{"kind":"too-large","detail":"no more than 1 MB"}"#)
        let daemon = try FakeDaemon(readsBody: false) { _ in refusal }
        for command in [["search"], ["model", "import"]] {
            let run = CommandRun(command + [file.path], socket: daemon.path)
            #expect(run.exitCode == .refused, "\(command): \(run.errors)")
            #expect(run.errors.contains("no more than 1 MB"))
        }
    }

    @Test("A daemon that speaks nonsense, or nothing, is a failure", arguments: ["", "hello\r\n\r\n"])
    func nonsense(text: String) throws {
        let daemon = try FakeDaemon { _ in Array(text.utf8) }
        #expect(CommandRun(["status"], socket: daemon.path).exitCode == .failed)
    }

    @Test("status fits one screen and calls an untrained model so")
    func status() throws {
        let warning = Warning(kind: "watch-limit", detail: "too few watches", fix: "raise them")
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(makeStatus(images: 1000, waiting: 500, warnings: [warning]))
        }
        let run = CommandRun(["status"], socket: daemon.path)
        #expect(run.exitCode == .ok)
        for part in [
            "likeness 1.2, up 1 min 40 s", "1,000 searchable", "66 %, 1,000 of 1,500, 12.5 images/s, 1 min 30 s left",
            "untrained: finds copies, not similar pictures", "cpu: Xeon", "no GPU", "/photos", "too few watches",
            "raise them",
        ] {
            #expect(run.output.contains(part), "\(part) in:\n\(run.output)")
        }
        #expect(run.output.split(separator: "\n").count < 24)
    }

    @Test("list follows the cursor as far as it is asked to")
    func list() throws {
        let daemon = try FakeDaemon { request in
            let isFirst = !request.target.contains("cursor=c%2F1")
            return FakeDaemon.reply(
                ImagePage(images: [makeImage(isFirst ? 1 : 20)], next: isFirst ? "c/1" : nil)
            )
        }
        let all = CommandRun(["list", "--all"], socket: daemon.path)
        // Pages are printed as they come, each aligned in itself.
        #expect(all.output == "1  640x480  123 kB  /photos/a.jpg\n20  640x480  123 kB  /photos/a.jpg\n")
        #expect(CommandRun(["list", "--limit", "1"], socket: daemon.path).errors.contains("list --all"))
        let json = CommandRun(["list", "--all", "--json"], socket: daemon.path)
        let page = try JSONDecoder().decode(ImagePage.self, from: Data(json.output.utf8))
        #expect(page.images.map(\.id) == [1, 20])
        #expect(page.next == nil)
    }

    @Test("show prints one image, remove forgets several and says which were missing")
    func showAndRemove() throws {
        let daemon = try FakeDaemon { request in
            switch request.target {
            case "GET /v1/images/7": FakeDaemon.reply(makeImage(7))
            case "DELETE /v1/images/7": Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
            default: FakeDaemon.reply(404, #"{"kind":"not-found","detail":"no such image"}"#)
            }
        }
        let shown = CommandRun(["show", "7"], socket: daemon.path)
        #expect(shown.output.contains("640 x 480 pixels"))
        #expect(shown.output.contains(#"{"camera":"X100"}"#))
        #expect(CommandRun(["show", "8"], socket: daemon.path).exitCode == .noResult)
        let wrong = CommandRun(["show", "x"], socket: daemon.path)
        #expect(wrong.exitCode == .usage)
        #expect(wrong.errors.hasPrefix("likeness: x is not an image id\n"))
        let removed = CommandRun(["remove", "7", "8", "--json"], socket: daemon.path)
        #expect(removed.exitCode == .noResult)
        #expect(
            try JSONDecoder().decode([String: [UInt64]].self, from: Data(removed.output.utf8))
                == ["removed": [7], "missing": [8]]
        )
    }

    @Test(
        "--collection is a parameter of every request about images",
        arguments: [
            (["search", "--id", "7"], "POST /v1/search"), (["list"], "GET /v1/images?limit=50&collection=work"),
            (["show", "7"], "GET /v1/images/7?collection=work"),
            (["remove", "7"], "DELETE /v1/images/7?collection=work"),
            (["failures"], "GET /v1/failures?limit=1000&collection=work"),
            (["exclusions"], "GET /v1/exclusions?limit=1000&collection=work"),
            (["status"], "GET /v1/status?collection=work"), (["watch", "/a"], "POST /v1/roots"),
            (["unwatch", "/a"], "DELETE /v1/roots"), (["rescan"], "POST /v1/rescan"),
            (["model", "whiten", "--off"], "DELETE /v1/whitening?collection=work"),
        ]
    )
    func collectionOption(words: [String], target: String) throws {
        let daemon = try FakeDaemon { _ in
            FakeDaemon.reply(404, #"{"kind":"collection-not-found","detail":"there are: default"}"#)
        }
        let run = CommandRun(words + ["--collection", "work"], socket: daemon.path)
        // A wrong name is a mistake, not a search without results.
        #expect(run.exitCode == .refused)
        #expect(run.errors.contains("likeness collections create NAME"))
        let request = try #require(daemon.requests.first)
        #expect(request.target == target)
        if !target.contains("collection=") {
            #expect(String(decoding: request.body, as: UTF8.self).contains(#""collection":"work""#))
        }
    }

    @Test("collections lists them; create and remove ask for one, remove only with --yes")
    func collections() throws {
        let counts = StatusResponse.Counts(images: 1200, vectors: 1200, files: 1201, failed: 1, waiting: 0)
        let work = CollectionBody(name: "work", counts: counts, roots: 2, diskBytes: 5_000_000)
        let damaged = CollectionBody(name: "x", counts: counts, roots: 0, diskBytes: 0, problem: "it is\ndamaged")
        let daemon = try FakeDaemon { request in
            switch request.target {
            case "GET /v1/collections": FakeDaemon.reply(CollectionList(collections: [work, damaged]))
            case "POST /v1/collections": FakeDaemon.reply(work)
            case "DELETE /v1/collections/work": Array("HTTP/1.1 204 No Content\r\n\r\n".utf8)
            default: FakeDaemon.reply(404, "{}")
            }
        }
        let list = CommandRun(["collections"], socket: daemon.path)
        #expect(
            list.output
                == "work  1,200 images    2 folders, 5.0 MB, 1 failed\nx     cannot be used  it is\\ndamaged\n"
        )
        let created = CommandRun(["collections", "create", "work"], socket: daemon.path)
        #expect(created.exitCode == .ok)
        #expect(created.errors.hasPrefix("created collection work\n"))
        #expect(daemon.requests.last?.body == Array(#"{"name":"work"}"#.utf8))
        let count = daemon.requests.count
        let careless = CommandRun(["collections", "remove", "work"], socket: daemon.path)
        #expect(careless.exitCode == .usage)
        #expect(careless.errors.contains("likeness collections remove work --yes"))
        #expect(daemon.requests.count == count)
        #expect(CommandRun(["collections", "remove", "work", "--yes"], socket: daemon.path).exitCode == .ok)
        let wrong = CommandRun(["collections", "craete", "work"], socket: daemon.path)
        #expect(wrong.errors.contains("did you mean likeness collections create?"))
    }

    @Test("failures names file, reason and next try")
    func failures() throws {
        let failure = FailureBody(path: "/photos/b.jpg", kind: "corrupt", message: "cut", attempts: 1, nextAttempt: nil)
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(FailurePage(failures: [failure], next: nil)) }
        #expect(
            CommandRun(["failures"], socket: daemon.path).output
                == "corrupt  again when it changes  /photos/b.jpg: cut\n"
        )
    }

    @Test("pause, cancel and resume say so; retry tells how many; an unknown folder is a mistake")
    func loading() throws {
        let daemon = try FakeDaemon { request in
            if request.target.hasPrefix("POST /v1/loading/") { return Array("HTTP/1.1 204 No Content\r\n\r\n".utf8) }
            if request.target == "POST /v1/failures/retry" { return FakeDaemon.reply(RetryResponse(queued: 7)) }
            return FakeDaemon.reply(404, #"{"kind":"root-not-found","detail":"/a is not watched"}"#)
        }
        for verb in ["pause", "cancel", "resume"] {
            #expect(CommandRun([verb, "/a"], socket: daemon.path).exitCode == .ok)
            #expect(daemon.requests.last?.target == "POST /v1/loading/\(verb)")
        }
        #expect(CommandRun(["retry", "--kind", "corrupt"], socket: daemon.path).errors.contains("7 files"))
        #expect(daemon.requests.last?.body == Array(#"{"kind":"corrupt"}"#.utf8))
        let unknown = CommandRun(["rescan", "/a"], socket: daemon.path)
        #expect(unknown.exitCode == .refused)
        #expect(unknown.errors.contains("likeness watch DIR"))
    }

    @Test("watch sends the settings that its options name")
    func watchSettings() throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(500, "{}") }
        _ = CommandRun(
            ["watch", "/a", "--exclude", "raw/", "--exclude", "*.png", "--hidden", "yes", "--min-pixels", "64"],
            socket: daemon.path
        )
        let request = try #require(daemon.requests.first)
        let body = try JSONDecoder().decode(RootRequest.self, from: Data(request.body))
        #expect(
            body.settings == [
                "exclude": .array([.string("raw/"), .string("*.png")]), "hidden": .bool(true),
                "minimum_pixels": .number(64),
            ]
        )
        #expect(CommandRun(["watch", "/a", "--max-depth", "0"], socket: daemon.path).exitCode == .usage)
    }

    @Test("exclusions prints page after page, and asks for one reason")
    func exclusions() throws {
        let daemon = try FakeDaemon { request in
            let isSecond = request.target.contains("cursor=x")
            let entry = ExclusionBody(path: isSecond ? "/photos/z" : "/photos/a\n", reason: "link")
            return FakeDaemon.reply(ExclusionPage(exclusions: [entry], next: isSecond ? nil : "x"))
        }
        let run = CommandRun(["exclusions", "--reason", "link"], socket: daemon.path)
        #expect(run.output == "link  /photos/a\\n\nlink  /photos/z\n")
        #expect(daemon.requests.map(\.target).allSatisfy { $0.contains("reason=link") })
        #expect(daemon.requests.count == 2)
    }

    @Test("status --verbose says how the entries of a folder add up")
    func statusAccount() throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(makeStatus()) }
        #expect(!CommandRun(["status"], socket: daemon.path).output.contains("not an image"))
        let output = CommandRun(["status", "--verbose"], socket: daemon.path).output
        #expect(output.contains("3 left out"))
        #expect(output.contains("2  not an image"))
        #expect(output.contains("1  hidden"))
    }

    @Test("version names the libraries; model list marks the one in use")
    func versionAndModels() throws {
        let daemon = try FakeDaemon { request in
            if request.target == "GET /v1/models" {
                return FakeDaemon.reply(ModelList(models: [makeStatus().model]))
            }
            return FakeDaemon.reply(
                VersionResponse(name: "likenessd", version: "1", api: 1, capabilities: [], libraries: ["lmdb": "0.9"])
            )
        }
        #expect(CommandRun(["version"], socket: daemon.path).output == "likenessd 1, protocol 1\n  lmdb  0.9\n")
        #expect(CommandRun(["--version"], socket: daemon.path).exitCode == .ok)
        #expect(CommandRun(["model", "list"], socket: daemon.path).output.hasPrefix("*  vgg16  VGG16  512 dimensions"))
    }

    @Test("Help starts with examples; wrong words name their neighbours")
    func help() {
        let help = CommandRun(["--help"], socket: "/nowhere")
        #expect(help.exitCode == .ok)
        #expect(help.output.hasPrefix("  likeness watch ~/Pictures"))
        for command in CommandLineClient.commands {
            let words = command.name.split(separator: " ").map(String.init) + ["--help"]
            let run = CommandRun(words, socket: "/nowhere")
            #expect(run.exitCode == .ok)
            #expect(run.output.hasPrefix("  likeness \(command.name)"))
            #expect(help.output.contains("\(command.brief)\n"))
        }
        #expect(help.output.contains("safetensors, PyTorch's .pth, Keras's .h5 or .onnx\n"))
        #expect(CommandRun(["model", "--help"], socket: "/nowhere").output.contains("likeness model use"))
        #expect(CommandRun([], socket: "/nowhere").exitCode == .usage)
        let wrong = CommandRun(["serch"], socket: "/nowhere")
        #expect(wrong.exitCode == .usage)
        #expect(wrong.errors.contains("did you mean likeness search?"))
        #expect(CommandRun(["model", "ust"], socket: "/nowhere").errors.contains("likeness model use?"))
        #expect(CommandRun(["status", "extra"], socket: "/nowhere").exitCode == .usage)
    }
}
