import Foundation
import Testing
import Wire

@testable import Client

/// Lists of paths for other programs.
struct PathOutputTests {
    private static let name: [UInt8] = Array("/photos/\n".utf8) + [0xFF] + Array("é.jpg".utf8)
    private static let text = String(decoding: name, as: UTF8.self)
    private static let encoded = "/photos/%0A%FF%C3%A9.jpg"

    private static let image: ImageBody = {
        var image = makeImage(1, path: text)
        image.pathBytes = encoded
        return image
    }()

    private func daemon() throws -> FakeDaemon {
        try FakeDaemon { request in
            switch request.target.split(separator: "?").first {
            case "GET /v1/images": FakeDaemon.reply(ImagePage(images: [Self.image, makeImage(2)], next: nil))
            case "GET /v1/failures":
                FakeDaemon.reply(
                    FailurePage(
                        failures: [
                            FailureBody(
                                path: Self.text,
                                kind: "corrupt",
                                message: "cut",
                                attempts: 1,
                                nextAttempt: nil,
                                pathBytes: Self.encoded
                            )
                        ],
                        next: nil
                    )
                )
            case "GET /v1/exclusions":
                FakeDaemon.reply(
                    ExclusionPage(
                        exclusions: [ExclusionBody(path: Self.text, reason: "link", pathBytes: Self.encoded)],
                        next: nil
                    )
                )
            default:
                FakeDaemon.reply(
                    {
                        var response = makeResponse([(1, Self.text), (0.5, "/photos/b.jpg")])
                        response.results[0].pathBytes = Self.encoded
                        return response
                    }()
                )
            }
        }
    }

    @Test func `-0 writes the bytes of every path, each with a zero byte behind it`() throws {
        let daemon = try daemon()
        func run(_ words: String...) -> [UInt8] { CommandRun(words, socket: daemon.path).outputBytes }
        #expect(run("list", "-0") == Self.name + [0] + Array("/photos/a.jpg".utf8) + [0])
        #expect(run("list", "--null") == run("list", "-0"))
        #expect(run("search", "--id", "3", "-0") == Self.name + [0] + Array("/photos/b.jpg".utf8) + [0])
        #expect(run("failures", "-0") == Self.name + [0])
        #expect(run("exclusions", "-0") == Self.name + [0])
    }

    @Test func `--paths writes them one a line`() throws {
        let daemon = try daemon()
        for command in [["list"], ["search", "--id", "3"], ["failures"], ["exclusions"]] {
            let run = CommandRun(command + ["--paths"], socket: daemon.path)
            #expect(run.exitCode == .ok)
            #expect(run.outputBytes.starts(with: Self.name + [UInt8(ascii: "\n")]))
        }
    }

    @Test func `lists for people show the other bytes, a terminal sees text`() throws {
        let daemon = try daemon()
        let shown = Array("/photos/\\n".utf8) + [0xFF] + Array("é.jpg".utf8)
        let list = CommandRun(["list"], socket: daemon.path).outputBytes
        #expect(list.starts(with: Array("1  640x480  123 kB  ".utf8) + shown + [UInt8(ascii: "\n")]))
        #expect(
            CommandRun(["failures"], socket: daemon.path).outputBytes
                == Array("corrupt  again when it changes  ".utf8) + shown + Array(": cut\n".utf8)
        )
        let search = CommandRun(["search", "--id", "3"], socket: daemon.path).outputBytes
        #expect(search.starts(with: Array("1.0000  ".utf8) + shown + [UInt8(ascii: "\n")]))
        let terminal = CommandRun(["list"], socket: daemon.path, isInteractive: true).output
        #expect(terminal.hasPrefix("1  640x480  123 kB  /photos/\\n\u{FFFD}é.jpg\n"))
    }

    @Test func `JSON has both, and excludes lists of paths`() throws {
        let daemon = try daemon()
        let list = CommandRun(["list", "--json"], socket: daemon.path)
        let page = try JSONDecoder().decode(ImagePage.self, from: Data(list.outputBytes))
        #expect(page.images.map(\.pathBytes) == [Self.encoded, nil])
        #expect(CommandRun(["failures", "--json"], socket: daemon.path).output.contains(#""path_bytes":"/photos/%0A"#))
        for command in [["list"], ["search", "--id", "3"], ["failures"], ["exclusions"]] {
            let run = CommandRun(command + ["-0", "--json"], socket: daemon.path)
            #expect(run.exitCode == .usage)
            #expect(run.output.isEmpty)
        }
        let wrong = CommandRun(["list", "-1"], socket: daemon.path)
        #expect(wrong.exitCode == .usage)
        #expect(CommandRun(["list", "--help"], socket: daemon.path).output.contains("-0, --null"))
    }

    @Test func `large whole numbers stay as they are`() throws {
        let daemon = try FakeDaemon { _ in
            FakeDaemon.reply(
                200,
                #"{"id":1,"path":"/a","root":"/","format":"png","width":1,"height":1,"bytes":1,"sha256":"","modified":"","#
                    + #""added":"","document":{"id":9007199254740993,"u":18446744073709551615}}"#
            )
        }
        let shown = CommandRun(["show", "1"], socket: daemon.path).output
        #expect(shown.contains(#"{"id":9007199254740993,"u":18446744073709551615}"#), "\(shown)")
        _ = CommandRun(["search", "--id", "1", "--filter", #"{"id":9007199254740993}"#], socket: daemon.path)
        let body = String(decoding: daemon.requests.last?.body ?? [], as: UTF8.self)
        #expect(body.contains(#""filter":{"id":9007199254740993}"#), "\(body)")
    }
}
