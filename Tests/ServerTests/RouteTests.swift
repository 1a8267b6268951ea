import Embedding
import Filters
import Foundation
import Glibc
import Imaging
import Ingestion
import LinearAlgebra
import Platform
import Server
import TestSupport
import Testing
import Wire

/// What the routes answer.
struct RouteTests {
    private func decode<Value: Decodable>(_ type: Value.Type, _ reply: RawClient.Reply) throws -> Value {
        try JSONDecoder().decode(type, from: Data(reply.body))
    }

    // MARK: Search

    @Test func `a search takes image bytes and answers by score`() throws {
        let server = try TestServer()
        let reply = try server.send("POST", "/v1/search?limit=3", body: [1, 2, 3])
        #expect(reply.status == 200)
        let found = try decode(SearchResponse.self, reply)
        #expect(found.results.map(\.id) == [1, 2, 3])
        #expect(found.results.first?.score == 1)
        #expect(found.results.first?.distance == 0)
        #expect(found.results.first?.path == "/photos/2021/Ärger \"1\".jpg")
        #expect(found.results.first?.document == .object(["camera": .string("X100")]))
        #expect(found.total == 5)
        #expect(found.warnings?.map(\.kind) == ["untrained-model", "root-offline"])
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded } == [[1, 2, 3]])
    }

    @Test func `a search by id leaves that image out`() throws {
        let server = try TestServer()
        let body = Array(#"{"id":1,"limit":2,"later":{"field":[1]}}"#.utf8)
        let reply = try server.send(
            "POST",
            "/v1/search",
            fields: ["Content-Type: application/json; charset=utf-8"],
            body: body
        )
        #expect(try decode(SearchResponse.self, reply).results.map(\.id) == [2, 3])
        let similar = try server.send("GET", "/v1/images/1/similar?limit=2&min_score=0.9")
        #expect(try decode(SearchResponse.self, similar).results.map(\.id) == [2, 3])
        #expect(try server.send("GET", "/v1/images/77/similar").status == 404)
    }

    @Test func `a search takes base64, and NDJSON gives a line a result`() throws {
        let server = try TestServer()
        let reply = try server.send(
            "POST",
            "/v1/search?limit=4&offset=1",
            fields: ["Content-Type: application/json", "Accept: application/x-ndjson"],
            body: Array(#"{"image":"AQID"}"#.utf8)
        )
        #expect(reply["content-type"] == "application/x-ndjson")
        let lines = reply.text.split(separator: "\n")
        #expect(lines.count == 4)
        let first = try JSONDecoder().decode(SearchResultBody.self, from: Data(lines[0].utf8))
        #expect(first.id == 2)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.embedded } == [[1, 2, 3]])
    }

    @Test(arguments: [
        "limit=0", "limit=1001", "limit=x", "limit=1.5", "offset=-1", "offset=9999&limit=10", "min_score=2",
        "min_score=nan",
        "exact=maybe", "limit=1&limit=2", "limit=%",
    ])
    func `parameters out of range get 400`(query: String) throws {
        let reply = try TestServer().send("POST", "/v1/search?\(query)", body: [1])
        #expect(reply.status == 400, "\(query)")
    }

    @Test func `an unknown parameter is named with the nearest known one`() throws {
        let reply = try TestServer().send("POST", "/v1/search?limti=5", body: [1])
        #expect(reply.status == 400)
        #expect(reply.json["detail"] as? String == "unknown parameter `limti`; did you mean `limit`?")
    }

    @Test(arguments: [
        (#"{"id":1,"image":"AQID"}"#, 400), ("{}", 400), (#"{"image":"%%%"}"#, 400), (#"{"id":"x"}"#, 400),
        (#"{"id":-1}"#, 400), ("[", 400), (#"{"id":99}"#, 404), (#"{"id":1,"limit":0}"#, 400),
        (String(repeating: "[", count: 20_000), 400), (#"{"id":1,"offset":9223372036854775807}"#, 400),
    ])
    func `JSON that is not a search is refused`(body: String, status: Int) throws {
        let server = try TestServer()
        let reply = try server.send(
            "POST",
            "/v1/search",
            fields: ["Content-Type: application/json"],
            body: Array(body.utf8)
        )
        #expect(reply.status == status, "\(body.prefix(40)): \(reply.text)")
    }

    @Test func `an empty body and a form get a hint`() throws {
        let server = try TestServer()
        #expect(try server.send("POST", "/v1/search", body: []).status == 400)
        let form = try server.send(
            "POST",
            "/v1/search",
            fields: ["Content-Type: multipart/form-data; boundary=x"],
            body: [1]
        )
        #expect(form.status == 415)
    }

    private static let errors: [(DaemonError, Problem)] = [
        (.embedding(.image(.init(.corrupt, "ends"))), Problem(.imageCorrupt, "the image cannot be read: ends")),
        (.embedding(.image(.init(.limitExceeded, "big"))), Problem(.imageTooLarge, "the image is beyond a limit: big")),
        (
            .embedding(.image(.init(.unsupported, "a GIF"))),
            Problem(.imageUnsupported, "JPEG and PNG are read, not this: a GIF")
        ),
        (.embedding(.stopped), Problem(.daemonStopping, "the daemon is stopping", retryAfter: 5)),
        (
            .collectionUnusable(name: "a", reason: "damaged"),
            Problem(.notReady, "collection a cannot be used: damaged")
        ),
        (
            .collectionIsBeingRemoved(name: "a"),
            Problem(.conflict, "collection a is still being removed", retryAfter: 1)
        ),
        (.ingestion(.noSuchRoot(path: "/a")), Problem(.rootNotFound, "/a is not watched")),
        (
            .system(SystemError(code: ENOSPC, operation: "write")),
            Problem(
                .storageFull,
                "no room to store: \(SystemError(code: ENOSPC, operation: "write"))",
                retryAfter: 60
            )
        ),
        (.unexpected("a bug"), Problem(.internal, "a bug")),
    ]

    @Test(arguments: errors)
    func `an error of the daemon reaches the client as a problem`(error: DaemonError, problem: Problem) throws {
        let daemon = try FakeDaemon(onEmbed: { _ throws(DaemonError) in throw error })
        let reply = try TestServer(daemon: daemon).send("POST", "/v1/search", body: [1])
        #expect(reply.status == problem.status)
        var expected = problem
        expected.instance = reply["x-request-id"] ?? ""
        #expect(try decode(Problem.self, reply) == expected)
        #expect(reply["retry-after"] == problem.retryAfter.map(String.init))
    }

    // MARK: Names and numbers

    @Test func `a path that is not UTF-8 comes with its bytes, and others without`() throws {
        let server = try TestServer(daemon: FakeDaemon(oddName: [0xFF, 0x2F, 0x20]))
        let page = try decode(ImagePage.self, server.send("GET", "/v1/images"))
        #expect(page.images[1].path == "/photos/\u{FFFD}/ /\u{FFFD}/ ")
        #expect(page.images[1].pathBytes == "/photos/%FF/%20/%FF/%20")
        #expect(page.images[1].rootBytes == "/photos/%FF/%20")
        let reply = try server.send("GET", "/v1/images/2")
        #expect(reply.json["path_bytes"] as? String == "/photos/%FF/%20/%FF/%20")
        #expect(reply.json["root_bytes"] as? String == "/photos/%FF/%20")
        let found = try decode(SearchResponse.self, server.send("POST", "/v1/search?limit=2", body: [1]))
        #expect(found.results.map(\.pathBytes).last == "/photos/%FF/%20/%FF/%20")
        let similar = try decode(SearchResponse.self, server.send("GET", "/v1/images/1/similar?limit=1"))
        #expect(similar.results.map(\.pathBytes) == ["/photos/%FF/%20/%FF/%20"])
        let failures = try decode(FailurePage.self, server.send("GET", "/v1/failures"))
        #expect(failures.failures.last?.pathBytes == "/photos/%FF/%20/broken-3.jpg%FF/%20")
        let filter = encoded(#"{"path_bytes":"%ff/ "}"#)
        #expect(try decode(ImagePage.self, server.send("GET", "/v1/images?filter=\(filter)")).images.map(\.id) == [2])
        let plain = try TestServer().send("GET", "/v1/images/2")
        #expect(plain.json["path"] as? String == "/photos/2021/Ärger \"2\".jpg")
        #expect(plain.json["path_bytes"] == nil && plain.json["root_bytes"] == nil)
        #expect(try !TestServer().send("GET", "/v1/failures").text.contains("path_bytes"))
        #expect(try !TestServer().send("GET", "/v1/roots").text.contains("path_bytes"))
    }

    @Test func `whole numbers of 64 bits are exact in answers and in the filter of a body`() throws {
        let server = try TestServer(daemon: FakeDaemon(oddName: [0x61]))
        #expect(try server.send("GET", "/v1/images/2").text.contains(#""document":{"id":1234567890123456789}"#))
        for (number, ids) in [("1234567890123456789", [UInt64(2)]), ("1234567890123456788", [])] {
            let body = Array("{\"id\":1,\"filter\":{\"id\":\(number)}}".utf8)
            let json = try server.send("POST", "/v1/search", fields: ["Content-Type: application/json"], body: body)
            #expect(try decode(SearchResponse.self, json).results.map(\.id) == ids)
        }
        let near = encoded(#"{"id":{"$gt":1234567890123456788}}"#)
        #expect(try decode(RemovalResponse.self, server.send("DELETE", "/v1/images?filter=\(near)")).removed == 1)
    }

    // MARK: Filters

    private func encoded(_ filter: String) -> String {
        filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    }

    @Test func `a filter narrows searches, by parameter and in the body`() throws {
        let server = try TestServer()
        let filter = encoded(#"{"width":{"$gte":2},"camera":"X100"}"#)
        let found = try decode(SearchResponse.self, server.send("POST", "/v1/search?filter=\(filter)", body: [1]))
        #expect(found.results.map(\.id) == [2, 3])
        let body = Array(#"{"id":1,"filter":{"width":{"$in":[3,9]}}}"#.utf8)
        let json = try server.send("POST", "/v1/search", fields: ["Content-Type: application/json"], body: body)
        #expect(try decode(SearchResponse.self, json).results.map(\.id) == [3])
        let similar = try server.send("GET", "/v1/images/1/similar?filter=\(filter)")
        #expect(try decode(SearchResponse.self, similar).results.map(\.id) == [2, 3])
    }

    @Test func `a filtered list has pages, whose links keep the filter, and a total`() throws {
        let server = try TestServer()
        let filter = encoded(#"{"width":{"$gte":2}}"#)
        let reply = try server.send("GET", "/v1/images?limit=3&filter=\(filter)")
        let first = try decode(ImagePage.self, reply)
        #expect(first.images.map(\.id) == [2, 3, 4])
        #expect(first.total == 4)
        let link = try #require(reply["link"]?.split(separator: ">").first?.dropFirst())
        let second = try decode(ImagePage.self, server.send("GET", String(link)))
        #expect(second.images.map(\.id) == [5])
        #expect(second.total == 4)
        #expect(second.next == nil)
        #expect(try decode(ImagePage.self, server.send("GET", "/v1/images")).total == nil)
    }

    @Test func `images are removed by filter, by whom may remove one`() throws {
        let server = try TestServer()
        let target = "/v1/images?filter=\(encoded(#"{"camera":"X100"}"#))"
        #expect(try server.sendTCP("DELETE", target).status == 403)
        #expect(try decode(RemovalResponse.self, server.send("DELETE", target)).removed == 3)
        #expect(try decode(RemovalResponse.self, server.send("DELETE", target)).removed == 0)
        #expect(server.daemon.fakeCatalog.count == 2)
        for query in ["", "?filter=", "?filter=\(encoded("{}"))", "?limit=1"] {
            #expect(try server.send("DELETE", "/v1/images\(query)").status == 400, "\(query)")
        }
        #expect(server.daemon.fakeCatalog.count == 2)
        let stranger = try TestServer(peer: PeerCredentials(userID: 4711, groupID: 0, processID: 1))
        #expect(try stranger.send("DELETE", target).status == 403)
    }

    @Test(arguments: [#"{"a":{"$gte":null}}"#, "{", "[]", #"{"a":{"$x":1}}"#, #"{"modified":5}"#])
    func `a filter that is none gets 400 with the place`(filter: String) throws {
        let server = try TestServer()
        for (method, path) in [("POST", "/v1/search"), ("GET", "/v1/images"), ("DELETE", "/v1/images")] {
            let body: [UInt8]? = method == "POST" ? [1] : nil
            let reply = try server.send(method, "\(path)?filter=\(encoded(filter))", body: body)
            #expect(reply.status == 400)
            #expect((reply.json["detail"] as? String)?.hasPrefix("the filter") == true, "\(reply.text)")
        }
        let body = Array("{\"id\":1,\"filter\":\(filter)}".utf8)
        let fields = ["Content-Type: application/json"]
        #expect(try server.send("POST", "/v1/search", fields: fields, body: body).status == 400)
    }

    // MARK: Images

    @Test func `a list comes in pages that a cursor continues`() throws {
        let server = try TestServer()
        var ids: [UInt64] = []
        var target: String? = "/v1/images?limit=2"
        var pageCount = 0
        while let current = target {
            let reply = try server.send("GET", current)
            let page = try decode(ImagePage.self, reply)
            ids += page.images.map(\.id)
            pageCount += 1
            target = page.next.map { "/v1/images?limit=2&cursor=\($0)" }
            #expect(reply["link"] == page.next.map { "</v1/images?cursor=\($0)&limit=2>; rel=\"next\"" })
        }
        #expect(ids == [1, 2, 3, 4, 5])
        #expect(pageCount == 3)
        #expect(try server.send("GET", "/v1/images?cursor=xyz").status == 400)
        #expect(try server.send("GET", "/v1/failures?cursor=aQAAAAAAAAAB").status == 400)
    }

    @Test func `failures come in pages`() throws {
        let server = try TestServer()
        let first = try decode(FailurePage.self, server.send("GET", "/v1/failures?limit=2"))
        #expect(first.failures.map(\.path) == ["/photos/broken-1.jpg", "/photos/broken-2.jpg"])
        #expect(first.failures.first?.nextAttempt == "2021-01-01T00:00:00Z")
        let cursor = try #require(first.next)
        let second = try decode(FailurePage.self, server.send("GET", "/v1/failures?limit=2&cursor=\(cursor)"))
        #expect(second.failures.map(\.path) == ["/photos/broken-3.jpg"])
        #expect(second.next == nil)
    }

    @Test func `a folder's settings are set with it, and changed later`() throws {
        let server = try TestServer()
        func send(_ method: String, _ body: String) throws -> RawClient.Reply {
            try server.send(method, "/v1/roots", fields: ["Content-Type: application/json"], body: Array(body.utf8))
        }
        let made = try send("POST", #"{"path":"/new","settings":{"exclude":["raw/"],"minimum_pixels":64}}"#)
        #expect(made.status == 201)
        let root = try decode(RootBody.self, made)
        #expect(root.settings == ["exclude": .array([.string("raw/")]), "minimum_pixels": .number(64)])
        #expect(try send("PATCH", #"{"path":"/photos","settings":{"hidden":true,"exclude":null}}"#).status == 200)
        #expect(try send("PATCH", #"{"path":"/elsewhere","settings":{}}"#).status == 404)
        let wrong = try send("POST", #"{"path":"/new","settings":{"exlude":[]}}"#)
        #expect(wrong.status == 400)
        #expect(try decode(Problem.self, wrong).detail.contains("did you mean `exclude`?"))
        #expect(try send("POST", #"{"path":"/new","settings":{"maximum_depth":0}}"#).status == 400)
    }

    @Test func `loading pauses, is cancelled and goes on; failures are tried again`() throws {
        let server = try TestServer()
        func send(_ target: String, _ body: String) throws -> RawClient.Reply {
            try server.send("POST", target, fields: ["Content-Type: application/json"], body: Array(body.utf8))
        }
        for verb in ["pause", "cancel", "resume"] {
            #expect(try send("/v1/loading/\(verb)", "{}").status == 204)
            #expect(try send("/v1/loading/\(verb)", #"{"path":"/photos"}"#).status == 204)
            #expect(try send("/v1/loading/\(verb)", #"{"path":"/none"}"#).status == 404)
        }
        let uses = server.daemon.seen.withLock { $0.uses }
        #expect(uses == ["pause", "pause", "cancel", "cancel", "resume", "resume"])
        #expect(try decode(RetryResponse.self, send("/v1/failures/retry", "{}")).queued == 3)
        let some = #"{"kind":"corrupt","path":"/photos/a"}"#
        #expect(try decode(RetryResponse.self, send("/v1/failures/retry", some)).queued == 2)
        #expect(try send("/v1/failures/retry", #"{"path":"/none"}"#).status == 404)
        #expect(try send("/v1/failures/retry", #"{"path":"a"}"#).status == 400)
    }

    @Test func `what is left out comes in pages, by reason if asked`() throws {
        let server = try TestServer()
        let first = try decode(ExclusionPage.self, server.send("GET", "/v1/exclusions?limit=2"))
        #expect(first.exclusions.map(\.path) == ["/photos/a/.hidden.jpg", "/photos/a/link.jpg"])
        #expect(first.exclusions.map(\.reason) == ["hidden", "link"])
        let cursor = try #require(first.next)
        let second = try decode(ExclusionPage.self, server.send("GET", "/v1/exclusions?limit=2&cursor=\(cursor)"))
        #expect(second.exclusions == [ExclusionBody(path: "/photos/b", reason: "unreadable_folder")])
        #expect(second.next == nil)
        let links = try decode(ExclusionPage.self, server.send("GET", "/v1/exclusions?reason=link"))
        #expect(links.exclusions.map(\.reason) == ["link"])
        #expect(try server.send("GET", "/v1/exclusions?reason=because").status == 400)
    }

    @Test func `one image has all that is known of it`() throws {
        let image = try decode(ImageBody.self, TestServer().send("GET", "/v1/images/3"))
        #expect(image.id == 3)
        #expect(image.root == "/photos")
        #expect(image.modified == "2021-01-01T00:00:00Z")
        #expect(image.sha256 == SHA256Digest(of: Array("content of 3".utf8)).description)
    }

    @Test func `a document of any depth does no harm`() throws {
        let server = try TestServer()
        let deep = try server.send("GET", "/v1/images/4")
        #expect(deep.text.contains(String(repeating: "[", count: 31)))
        let tooDeep = try decode(ImageBody.self, server.send("GET", "/v1/images/5"))
        #expect(tooDeep.document == nil)
    }

    @Test func `content is the file, named without harm`() throws {
        let server = try TestServer()
        let client = try server.unix()
        let reply = try client.send("GET", "/v1/images/1/content")
        #expect(reply.text == "content of 1")
        #expect(reply["content-type"] == "image/jpeg")
        #expect(reply["content-disposition"] == "inline; filename*=UTF-8''%C3%84rger%20%221%22.jpg")
        let head = try client.send("HEAD", "/v1/images/1/content")
        #expect(head["content-length"] == "12")
        let gone = try client.send("GET", "/v1/images/2/content")
        #expect(gone.status == 404)
        #expect((gone.json["detail"] as? String)?.hasPrefix("image 2: its file cannot be read") == true)
    }

    @Test func `thumbnails come in the size asked for`() throws {
        let server = try TestServer()
        let reply = try server.send("GET", "/v1/images/1/thumbnail?size=100")
        #expect(reply.text == "thumbnail of 1 at 100")
        #expect(reply["content-type"] == "image/jpeg")
        #expect(try server.send("GET", "/v1/images/1/thumbnail").text == "thumbnail of 1 at 256")
        #expect(try server.send("GET", "/v1/images/1/thumbnail?size=100000").status == 400)
    }

    @Test func `a removed image is gone`() throws {
        let server = try TestServer()
        #expect(try server.send("DELETE", "/v1/images/3").status == 204)
        #expect(try server.send("GET", "/v1/images/3").status == 404)
        #expect(try server.send("DELETE", "/v1/images/3").status == 404)
        #expect(try server.send("GET", "/v1/images/3/content").status == 404)
    }

    // MARK: Administration

    private let json = "Content-Type: application/json"

    @Test func `roots are added, listed and removed`() throws {
        let server = try TestServer()
        let added = try server.send("POST", "/v1/roots", fields: [json], body: Array(#"{"path":"/a b"}"#.utf8))
        #expect(added.status == 201)
        #expect(try decode(RootBody.self, added).path == "/a b")
        #expect(try decode(RootListResponse.self, server.send("GET", "/v1/roots")).roots.map(\.path) == ["/photos"])
        #expect(
            try server.send("DELETE", "/v1/roots", fields: [json], body: Array(#"{"path":"/a"}"#.utf8)).status == 204
        )
        #expect(try server.send("DELETE", "/v1/roots?path=%2Fb").status == 204)
        #expect(try server.send("DELETE", "/v1/roots").status == 400)
        #expect(try server.send("POST", "/v1/roots", fields: [json], body: Array(#"{"path":"a"}"#.utf8)).status == 400)
        #expect(try server.send("POST", "/v1/roots", body: Array(#"{"path":"/a"}"#.utf8)).status == 415)
        #expect(try server.send("POST", "/v1/rescan").status == 202)
        #expect(
            try server.send("POST", "/v1/rescan", fields: [json], body: Array(#"{"path":"/a"}"#.utf8)).status == 202
        )
        server.daemon.seen.withLockNotifyingAll {
            #expect($0.addedRoots == ["/a b"])
            #expect($0.removedRoots == ["/a", "/b"])
            #expect($0.rescans == [nil, "/a"])
        }
    }

    @Test func `a path in a request can be given by its bytes`() throws {
        let server = try TestServer()
        func status(_ method: String, _ target: String, _ body: String) throws -> Int {
            try server.send(method, target, fields: ["Content-Type: application/json"], body: Array(body.utf8)).status
        }
        #expect(try status("POST", "/v1/rescan", #"{"path_bytes":"/photos/%FF%20x"}"#) == 202)
        #expect(try status("POST", "/v1/roots", #"{"path_bytes":"/a%20b"}"#) == 201)
        #expect(try status("POST", "/v1/failures/retry", #"{"path_bytes":"/photos/%61"}"#) == 202)
        #expect(try status("POST", "/v1/failures/retry", #"{"path_bytes":"/photos/%FF"}"#) == 404)
        // A folder that is not named by its bytes must not become all folders.
        for target in ["/v1/roots", "/v1/loading/pause"] {
            #expect(try status("POST", target, #"{"path_bytes":"/a%FF"}"#) == 400, "\(target)")
        }
        #expect(try status("POST", "/v1/rescan", #"{"path_bytes":"/a%FF","accept_missing":true}"#) == 400)
        for body in [
            #"{"path_bytes":"a"}"#, #"{"path_bytes":"/%"}"#, #"{"path_bytes":"/%00"}"#,
            #"{"path":"/a","path_bytes":"/a"}"#,
        ] {
            for target in ["/v1/rescan", "/v1/roots", "/v1/failures/retry", "/v1/loading/pause"] {
                #expect(try status("POST", target, body) == 400, "\(target) \(body)")
            }
        }
        server.daemon.seen.withLockNotifyingAll {
            #expect($0.rescans == ["/photos/%FF%20x"])
            #expect($0.addedRoots == ["/a b"])
            #expect($0.uses.isEmpty)
        }
    }

    @Test func `a folder of the settings says that it comes back`() throws {
        let server = try TestServer()
        let reply = try server.send("DELETE", "/v1/roots?path=%2Fconfigured")
        #expect(reply.status == 200)
        let warning = try #require(try decode(RootRemovalResponse.self, reply).warnings?.first)
        #expect(warning.kind == "root-configured")
        #expect(warning.detail.contains("/configured"))
        #expect(warning.fix.contains("--root"))
    }

    @Test func `what is missing in a folder is accepted for one folder by its name`() throws {
        let server = try TestServer()
        func send(_ body: String) throws -> Int {
            try server.send("POST", "/v1/rescan", fields: [json], body: Array(body.utf8)).status
        }
        #expect(try send(#"{"path":"/a","accept_missing":true}"#) == 202)
        #expect(try send(#"{"path":"/b","accept_missing":false}"#) == 202)
        #expect(try send(#"{"accept_missing":true}"#) == 400)
        server.daemon.seen.withLockNotifyingAll {
            #expect($0.accepted == ["/a"])
            #expect($0.rescans == ["/b"])
        }
    }

    @Test func `a model's file arrives whole and is gone afterwards`() throws {
        let server = try TestServer(limits: { $0.modelByteCount = 5_000_000 })
        let reply = try server.send("PUT", "/v1/models/vgg-1.x?head=max", body: [UInt8](repeating: 9, count: 3_000_000))
        #expect(reply.status == 201)
        let seen = try #require(server.daemon.seen.withLockNotifyingAll { $0.imports.first })
        #expect(seen.name == "vgg-1.x")
        #expect(seen.byteCount == 3_000_000)
        #expect(!FileManager.default.fileExists(atPath: seen.path))
        #expect(try server.send("PUT", "/v1/models/a", body: []).status == 400)
        let client = try server.unix()
        client.write("PUT /v1/models/a HTTP/1.1\r\nHost: d\r\nContent-Length: 5000001\r\n\r\n")
        #expect(try client.reply().status == 413)
        #expect(try FileManager.default.contentsOfDirectory(atPath: server.daemon.directory.path).isEmpty)
    }

    @Test func `models are listed and chosen`() throws {
        let server = try TestServer()
        let listed = try decode(ModelList.self, server.send("GET", "/v1/models")).models
        #expect(listed.map(\.name) == ["vgg16-seeded"])
        #expect(listed.allSatisfy { $0.inUse && $0.untrained && $0.dimension == 512 && $0.licence == nil })
        #expect(try server.send("POST", "/v1/models/a/use").status == 202)
        #expect(
            try server.send("POST", "/v1/models/b/use", fields: [json], body: Array(#"{"head":"mean"}"#.utf8)).status
                == 202
        )
        #expect(server.daemon.seen.withLockNotifyingAll { $0.uses } == ["a -", "b mean"])
    }

    @Test func `whitening is learned and taken back`() throws {
        let server = try TestServer()
        let body = try decode(WhiteningBody.self, server.send("PUT", "/v1/whitening"))
        #expect(body.vectors == 300)
        #expect(body.sha256 == FakeCollection.whitening?.digest.description)
        #expect(try server.send("DELETE", "/v1/whitening").status == 204)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.uses } == ["whitening", "no whitening"])
    }

    // MARK: Health

    @Test func `readiness is a status, with the reasons`() throws {
        let reply = try TestServer().send("GET", "/readyz")
        #expect(reply.status == 503)
        let checks = try decode(ReadinessResponse.self, reply).checks
        #expect(checks.map(\.name) == ["index", "device", "roots"])
        #expect(checks.map(\.detail) == ["default: the disk broke", "test", "/photos: not mounted"])
    }

    @Test func `the version names the libraries of the daemon and the server's own`() throws {
        let version = try decode(VersionResponse.self, TestServer().send("GET", "/v1/version"))
        #expect(version.name == "likenessd")
        #expect(version.libraries.keys.sorted() == ["libmicrohttpd", "libpng"])
        for (name, number) in version.libraries {
            #expect(number.split(separator: ".").first.flatMap { Int($0) } != nil, "\(name) \(number)")
        }
    }

    @Test func `status lists the limits`() throws {
        let status = try decode(StatusResponse.self, TestServer().send("GET", "/v1/status"))
        #expect(status.limits["collections"] == 64)
        #expect(status.limits["search_body_bytes"] == Double(32 << 20))
    }

    @Test func `metrics are Prometheus text with every sample announced`() throws {
        let server = try TestServer()
        _ = try server.send("POST", "/v1/search", body: [1])
        _ = try server.send("GET", "/nowhere")
        let counted = "likeness_http_requests_total{route=\"POST /v1/search\",status=\"200\"} 1.0"
        // A request is counted when the library is done with it, which may be after its client has the reply.
        var reply = try server.send("GET", "/metrics")
        let timed = "likeness_search_seconds_count 1.0"
        let isCounted = try eventually {
            reply = try server.send("GET", "/metrics")
            return reply.text.contains(counted) && reply.text.contains(timed)
        }
        #expect(isCounted)
        #expect(reply["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        var announced: Set<Substring> = []
        var samples: [Substring] = []
        for line in reply.text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if line.hasPrefix("# TYPE") {
                announced.insert(words[2])
            } else if !line.hasPrefix("#") {
                samples.append(line)
            }
        }
        #expect(announced.count >= 12)
        for sample in samples {
            let name = sample.prefix { $0 != " " && $0 != "{" }
            let base = ["_bucket", "_sum", "_count"].first { name.hasSuffix($0) }.map { name.dropLast($0.count) }
            #expect(announced.contains(name) || announced.contains(base ?? ""), "\(sample)")
            #expect(Double(sample.split(separator: " ").last ?? "") != nil, "\(sample)")
        }
        #expect(reply.text.contains(counted))
        #expect(reply.text.contains(timed))
    }
}
