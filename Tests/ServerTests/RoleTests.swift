import Glibc
import Platform
import TestSupport
import Testing

@testable import Server

/// Who may do what.
struct RoleTests {
    private static let stranger = PeerCredentials(userID: 1234, groupID: 1234, processID: 1)

    @Test func `anyone who can connect may read and search`() throws {
        let server = try TestServer(peer: Self.stranger)
        #expect(try server.send("GET", "/v1/status").status == 200)
        #expect(try server.send("POST", "/v1/search", body: [1]).status == 200)
        #expect(try server.send("GET", "/v1/images").status == 200)
    }

    // MARK: The route table

    /// Every route of the table, so that none can be forgotten.
    private static func routes() throws -> [Route] {
        let routes = Routes(control: try FakeDaemon(), limits: ServerLimits(), metrics: ServerMetrics()).table
        try #require(routes.count > 30)
        return routes
    }

    private func target(of route: Route) -> String {
        route.pattern.replacing("{id}", with: "1").replacing("{name}", with: "work")
    }

    private func body(of route: Route) -> [UInt8]? { route.method == "GET" ? nil : [] }

    @Test func `what changes anything, hands out the store, or lists what is left out, is for administrators`() throws {
        for route in try Self.routes() {
            let changes = route.method != "GET" && !route.isSearch
            let copies = route.pattern.hasPrefix("/v1/backup")
            // Names of hidden files are nobody else's.
            let lists = route.pattern == "/v1/exclusions"
            let isTheirs = changes || copies || lists
            #expect((route.access == .administer) == isTheirs, "\(route.method) \(route.pattern)")
            #expect((route.access == .open) == (route.isPage || route.pattern == "/healthz"), "\(route.pattern)")
        }
    }

    @Test func `on the Unix socket, only administrators pass the routes that are theirs`() throws {
        for route in try Self.routes() where !route.isPage {
            let name = "\(route.method) \(route.pattern)"
            let server = try TestServer(peer: Self.stranger)
            let reply = try server.send(route.method, target(of: route), body: body(of: route))
            #expect((reply.status == 403) == (route.access == .administer), "\(name): \(reply.status)")
            if reply.status == 403 { #expect(reply.kind == "forbidden") }
            let named = try TestServer(peer: Self.stranger, administrators: [1234])
            let taken = try named.send(route.method, target(of: route), body: body(of: route))
            #expect(![401, 403, 405].contains(taken.status), "\(name): \(taken.status)")
        }
    }

    @Test func `over TCP, a token opens what reads and nothing else`() throws {
        for route in try Self.routes() {
            let name = "\(route.method) \(route.pattern)"
            let server = try TestServer()
            let (target, body) = (target(of: route), body(of: route))
            let bare = try server.tcp().send(route.method, target, host: server.host, body: body)
            #expect((bare.status == 401) == (route.access != .open), "\(name): \(bare.status)")
            let reply = try server.sendTCP(route.method, target, body: body)
            #expect((reply.status == 403) == (route.access == .administer), "\(name): \(reply.status)")
        }
    }

    // MARK: Peers

    @Test(arguments: [
        PeerCredentials(userID: 65534, groupID: 1, processID: 1),
        PeerCredentials(userID: UInt32.max, groupID: 1, processID: 1), nil,
    ])
    func `a peer that the kernel does not know is refused, whatever it asks`(peer: PeerCredentials?) throws {
        let server = try TestServer(peer: peer, administrators: [65534, UInt32.max])
        for target in ["/v1/status", "/nowhere", "/healthz"] {
            #expect(try server.send("GET", target).status == 403)
        }
    }

    @Test func `the kernel says who connects`() throws {
        var pair: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
        let left = OwnedDescriptor(owning: pair[0])
        let right = OwnedDescriptor(owning: pair[1])
        #expect(PeerCredentials.of(socket: left.rawValue)?.userID == geteuid())
        #expect(PeerCredentials.of(socket: right.rawValue)?.processID == getpid())
        let server = try TestServer()
        #expect(PeerCredentials.of(socket: try server.tcp().descriptor) == nil)
    }

    @Test(arguments: ["Origin: http://d", "Referer: http://d/", "Origin: null"])
    func `web pages are refused on the Unix socket`(field: String) throws {
        #expect(try TestServer().send("GET", "/v1/status", fields: [field]).status == 403)
    }

    // MARK: TCP

    @Test func `the page's files and health need no token, everything else does`() throws {
        let server = try TestServer()
        for target in ["/", "/page.css", "/page.js", "/icon.svg", "/healthz", "/?id=5"] {
            #expect(try server.tcp().send("GET", target, host: server.host).status == 200, "\(target)")
        }
        for target in ["/v1/status", "/v1/images/1/thumbnail", "/metrics", "/readyz", "/nowhere"] {
            let reply = try server.tcp().send("GET", target, host: server.host)
            #expect(reply.status == 401, "\(target)")
            #expect(reply["www-authenticate"] == "Bearer")
        }
        #expect(try server.sendTCP("GET", "/v1/status").status == 200)
        #expect(try server.sendTCP("POST", "/v1/search", body: [1]).status == 200)
        #expect(try server.sendTCP("GET", "/nowhere").status == 404)
        #expect(try server.send("GET", "/").status == 404)
    }

    @Test(arguments: [
        "Authorization: Bearer " + String(repeating: "b2", count: 32), "Authorization: Bearer a1",
        "Authorization: Basic " + TestServer.token, "Authorization: Bearer", "Authorization: ",
    ])
    func `a wrong token is no token`(field: String) throws {
        let server = try TestServer()
        #expect(try server.tcp().send("GET", "/v1/status", fields: [field], host: server.host).status == 401)
    }

    @Test(arguments: ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1.:PORT", "127.1:PORT", "127.0.0.1:1"])
    func `a host that is not this one is refused`(host: String) throws {
        let server = try TestServer()
        let named = host.replacing("PORT", with: String(server.port))
        let reply = try server.tcp().send("GET", "/v1/status", fields: [TestServer.authorization], host: named)
        #expect(reply.status == 403)
        #expect(try server.tcp().send("GET", "/", host: named).status == 403)
    }

    @Test func `origin and fetch site must be the page's own`() throws {
        let server = try TestServer()
        func status(_ field: String) throws -> Int { try server.sendTCP("GET", "/v1/status", fields: [field]).status }
        #expect(try status("Origin: http://\(server.host)") == 200)
        #expect(try status("Origin: http://localhost:\(server.port)") == 403)
        #expect(try status("Origin: https://\(server.host)") == 403)
        #expect(try status("Origin: http://evil.example") == 403)
        #expect(try status("Origin: null") == 403)
        #expect(try status("Sec-Fetch-Site: same-origin") == 200)
        #expect(try status("Sec-Fetch-Site: none") == 200)
        #expect(try status("Sec-Fetch-Site: same-site") == 403)
        #expect(try status("Sec-Fetch-Site: cross-site") == 403)
        #expect(try server.sendTCP("GET", "/v1/status")["access-control-allow-origin"] == nil)
    }
}
