import Filters
import Foundation
import TestSupport
import Testing
import Wire

@testable import Client

/// `--filter` of `search`, `list` and `remove`.
struct FilterCommandTests {
    private static let filter = #"{"year":{"$gte":2020}}"#
    private static let encoded = "%7B%22year%22%3A%7B%22%24gte%22%3A2020%7D%7D"

    @Test("search sends its filter beside a photo, and inside JSON")
    func search() throws {
        let folder = try TemporaryDirectory()
        let photo = folder.url.appending(path: "q.jpg")
        try Data([0xFF, 0xD8]).write(to: photo)
        let reply = #"{"results":[],"total":0,"took_ms":{"embed":0,"search":0,"load":0,"total":0}}"#
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(200, reply) }
        let run = CommandRun(["search", photo.path, "--filter", Self.filter], socket: daemon.path)
        #expect(run.exitCode == .noResult)
        #expect(run.errors.contains("no image matches the filter"))
        _ = CommandRun(["search", "--id", "7", "--filter", Self.filter], socket: daemon.path)
        #expect(daemon.requests.map(\.target) == ["POST /v1/search?filter=\(Self.encoded)", "POST /v1/search"])
        let request = try JSONDecoder().decode(SearchRequest.self, from: Data(daemon.requests[1].body))
        #expect(request.filter == .object(["year": .object(["$gte": .number(2020)])]))
    }

    @Test("list sends its filter with every page")
    func list() throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(200, #"{"images":[],"total":0}"#) }
        let run = CommandRun(["list", "--filter", Self.filter], socket: daemon.path)
        #expect(run.exitCode == .noResult)
        #expect(run.errors.contains("no image matches the filter"))
        #expect(daemon.requests.map(\.target) == ["GET /v1/images?limit=50&filter=\(Self.encoded)"])
    }

    @Test("remove says how many match, and removes them only with --yes")
    func remove() throws {
        let daemon = try FakeDaemon { request in
            FakeDaemon.reply(200, request.target.hasPrefix("GET") ? #"{"images":[],"total":12}"# : #"{"removed":12}"#)
        }
        let asked = CommandRun(["remove", "--filter", Self.filter], socket: daemon.path)
        #expect(asked.exitCode == .usage)
        #expect(asked.errors.contains("the filter matches 12 images; nothing was removed"))
        #expect(asked.errors.contains("--yes"))
        let removed = CommandRun(["remove", "--filter", Self.filter, "--yes"], socket: daemon.path)
        #expect(removed.exitCode == .ok)
        #expect(removed.errors.contains("removed 12 images"))
        #expect(
            daemon.requests.map(\.target) == [
                "GET /v1/images?filter=\(Self.encoded)&limit=1", "DELETE /v1/images?filter=\(Self.encoded)",
            ]
        )
        #expect(CommandRun(["remove"], socket: daemon.path).exitCode == .usage)
        #expect(CommandRun(["remove", "1", "--filter", Self.filter], socket: daemon.path).exitCode == .usage)
        #expect(daemon.requests.count == 2)
    }

    @Test("A filter that is none is told before the daemon is asked", arguments: ["search", "list", "remove"])
    func mistakes(command: String) throws {
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(200, "{}") }
        let words = command == "search" ? ["search", "--id", "1"] : [command]
        let run = CommandRun(words + ["--filter", #"{"year":{"$gt":null}}"#], socket: daemon.path)
        #expect(run.exitCode == .usage)
        #expect(run.errors.contains("the filter at `year.$gt`: it takes a number or a string"), "\(run.errors)")
        #expect(daemon.requests.isEmpty)
    }
}
