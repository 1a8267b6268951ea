import Foundation
import Platform
import Testing
import Wire

@testable import Server

/// Which collection a request is about, and how collections come and go.
struct CollectionRouteTests {
    private let json = "Content-Type: application/json"

    private func decode<Value: Decodable>(_ type: Value.Type, _ reply: RawClient.Reply) throws -> Value {
        try JSONDecoder().decode(type, from: Data(reply.body))
    }

    @Test(arguments: [
        ("GET", "/v1/images", 200), ("GET", "/v1/images/1", 200), ("GET", "/v1/images/1/content", 404),
        ("GET", "/v1/images/1/thumbnail", 200), ("GET", "/v1/images/1/similar", 200), ("GET", "/v1/failures", 200),
        ("DELETE", "/v1/images/1", 204), ("PUT", "/v1/whitening", 200), ("DELETE", "/v1/whitening", 204),
        ("GET", "/v1/status", 200), ("GET", "/v1/roots", 200), ("POST", "/v1/search", 200),
    ])
    func `every route about images takes a collection, and an unknown one is 404`(
        method: String,
        path: String,
        status: Int
    ) throws {
        let server = try TestServer()
        let body: [UInt8]? = method == "POST" ? [1] : nil
        #expect(try server.send(method, "\(path)?collection=work", body: body).status == status, "\(path)")
        let unknown = try server.send(method, "\(path)?collection=wrok", body: body)
        #expect(unknown.status == 404)
        #expect(unknown.json["kind"] as? String == "collection-not-found")
        #expect((unknown.json["detail"] as? String)?.contains("default, work") == true)
    }

    @Test func `each collection is searched and listed by itself`() throws {
        let server = try TestServer()
        let all = try decode(SearchResponse.self, server.send("POST", "/v1/search", body: [1]))
        #expect(all.total == 5)
        for (query, body) in [("?collection=work", #"{"id":1}"#), ("", #"{"id":1,"collection":"work"}"#)] {
            let reply = try server.send("POST", "/v1/search\(query)", fields: [json], body: Array(body.utf8))
            let found = try decode(SearchResponse.self, reply)
            #expect(found.total == 2)
            #expect(found.results.map(\.id) == [2])
            #expect(found.results.first?.path.hasPrefix("/work/") == true)
        }
        let page = try server.send("GET", "/v1/images?collection=work&limit=1")
        #expect(try decode(ImagePage.self, page).images.map(\.root) == ["/work"])
        #expect(page["link"]?.hasPrefix("</v1/images?collection=work&cursor=") == true)
        #expect(try server.send("GET", "/v1/images/3?collection=work").status == 404)
    }

    @Test func `collections are listed, made and removed`() throws {
        let server = try TestServer()
        let list = try decode(CollectionList.self, server.send("GET", "/v1/collections"))
        #expect(list.collections.map(\.name) == ["default", "work"])
        #expect(try decode(CollectionBody.self, server.send("GET", "/v1/collections/work")).counts.images == 2)
        #expect(try server.send("GET", "/v1/collections/none").status == 404)
        let made = try server.send("POST", "/v1/collections", fields: [json], body: Array(#"{"name":"new"}"#.utf8))
        #expect(made.status == 201)
        #expect(try server.send("POST", "/v1/collections", body: Array(#"{"name":"new"}"#.utf8)).status == 415)
        #expect(try server.send("POST", "/v1/collections", fields: [json], body: Array("{}".utf8)).status == 400)
        #expect(try server.send("DELETE", "/v1/collections/work").status == 204)
        #expect(try server.send("DELETE", "/v1/collections/work").status == 404)
        #expect(try server.send("GET", "/v1/images?collection=work").status == 404)
        server.daemon.seen.withLockNotifyingAll {
            #expect($0.created == ["new"])
            #expect($0.removed == ["work"])
        }
    }

    @Test func `folders belong to the collection that body or parameter names`() throws {
        let server = try TestServer()
        func send(_ method: String, _ target: String, _ body: String) throws -> Int {
            try server.send(method, target, fields: [json], body: Array(body.utf8)).status
        }
        #expect(try send("POST", "/v1/roots", #"{"path":"/a","collection":"work"}"#) == 201)
        #expect(try send("POST", "/v1/roots?collection=work", #"{"path":"/a"}"#) == 201)
        #expect(try send("POST", "/v1/rescan?collection=work", "{}") == 202)
        #expect(try server.send("DELETE", "/v1/roots?path=%2Fa&collection=work").status == 204)
        #expect(try server.send("DELETE", "/v1/roots?path=%2Fa").status == 204)
        #expect(server.daemon.seen.withLockNotifyingAll { $0.collections } == ["work", "work", "work", "work", nil])
    }

    @Test func `metrics tell the collections apart`() throws {
        let text = try TestServer().send("GET", "/metrics").text
        #expect(text.contains("likeness_images{collection=\"default\"} 5.0\n"))
        #expect(text.contains("likeness_images{collection=\"work\"} 2.0\n"))
    }
}
