import Foundation
import TestSupport
import Testing

@testable import Client

struct SocketPathTests {
    @Test("The flag wins, then the variable, then what is installed beside the client")
    func order() throws {
        let prefix = try TemporaryDirectory()
        let memory = prefix.url.appending(path: "etc/likeness")
        try FileManager.default.createDirectory(at: memory, withIntermediateDirectories: true)
        try "/tmp/x/likeness.sock\n".write(to: memory.appending(path: "socket"), atomically: false, encoding: .utf8)
        let executable = prefix.path + "/bin/likeness"
        func candidates(_ flag: String?, _ environment: [String: String]) -> [String] {
            SocketPath.candidates(flag: flag, environment: environment, executable: executable)
        }
        #expect(candidates("/f", ["LIKENESS_SOCKET": "/v"]) == ["/f"])
        #expect(candidates(nil, ["LIKENESS_SOCKET": "/v"]) == ["/v"])
        #expect(candidates(nil, [:]) == ["/tmp/x/likeness.sock", "/run/likeness/likeness.sock"])
        try FileManager.default.removeItem(at: memory)
        #expect(
            candidates(nil, ["XDG_RUNTIME_DIR": "/r"]) == ["/r/likeness/likeness.sock", "/run/likeness/likeness.sock"]
        )
    }

    @Test("A stale socket is passed over for the next")
    func stale() throws {
        let folder = try TemporaryDirectory()
        let daemon = try FakeDaemon { _ in FakeDaemon.reply(204, "") }
        try Data().write(to: folder.url.appending(path: "file"))
        let client = DaemonClient(sockets: [folder.path + "/none", folder.path + "/file", daemon.path])
        #expect(try client.send(HTTPRequest(method: "GET", path: "/")).isEmpty)
    }
}
