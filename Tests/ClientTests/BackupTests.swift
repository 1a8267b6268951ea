import Foundation
import Glibc
import Platform
import TestSupport
import Testing
import Wire

@testable import Client

/// Backups against a scripted daemon: whole, or nothing that looks whole.
struct BackupTests {
    private static let store = "collections/default/0123456789abcdef"
    private static let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }

    /// Answers the plan, the store and one file; `change` may answer otherwise.
    private static func daemon(
        name: String = store,
        bytes count: UInt64 = 200_000,
        state: String = "/nowhere",
        _ change: @escaping @Sendable (String) -> [UInt8]? = { _ in nil }
    ) throws -> FakeDaemon {
        let plan = BackupPlan(
            version: "1",
            state: state,
            roots: ["/photos"],
            collections: [.init(name: name, bytes: count, images: 3)],
            files: [.init(name: "models/a.pack", bytes: 5)],
            weights: nil
        )
        return try FakeDaemon { request in
            let path = String(request.target.dropFirst(4).prefix { $0 != "?" })
            if let changed = change(path) { return changed }
            switch path {
            case "/v1/backup": return FakeDaemon.reply(plan)
            case "/v1/backup/collection": return chunked(bytes, isWhole: true)
            default: return Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nmodel".utf8)
            }
        }
    }

    private static func chunked(_ bytes: [UInt8], isWhole: Bool) -> [UInt8] {
        var reply = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: bytes.count, by: 60_000) {
            let piece = bytes[start..<min(start + 60_000, bytes.count)]
            reply += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
        }
        return isWhole ? reply + Array("0\r\n\r\n".utf8) : reply
    }

    private static func names(_ folder: TemporaryDirectory) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []).sorted()
    }

    @Test func everythingIsThereWithItsDigest() throws {
        let folder = try TemporaryDirectory()
        let daemon = try Self.daemon()
        let path = "\(folder.path)/b"
        #expect(CommandRun(["backup", path, "--compact"], socket: daemon.path).exitCode == .ok)
        #expect(try Data(contentsOf: URL(filePath: "\(path)/\(Self.store)/data.mdb")) == Data(Self.bytes))
        #expect(try String(contentsOfFile: "\(path)/models/a.pack", encoding: .utf8) == "model")
        let manifest = try BackupManifest(folder: path)
        #expect(manifest.files.map(\.name) == ["\(Self.store)/data.mdb", "models/a.pack"])
        #expect(manifest.files.first?.sha256 == SHA256Digest(of: Self.bytes).description)
        #expect(Self.names(folder) == ["b"])
        #expect(daemon.requests.contains { $0.target.hasSuffix("compact=true") })
        #expect(CommandRun(["backup", "--check", path], socket: daemon.path).exitCode == .ok)
        #expect(CommandRun(["backup", path], socket: daemon.path).exitCode == .usage)

        let store = "\(path)/\(Self.store)/data.mdb"
        var changed = Self.bytes
        changed[77_777] ^= 1
        try Data(changed).write(to: URL(filePath: store))
        let check = CommandRun(["backup", "--check", path], socket: daemon.path)
        #expect(check.exitCode == .failed)
        #expect(check.errors.contains("data.mdb is not as it was written"))
        try Data(changed.dropLast()).write(to: URL(filePath: store))
        #expect(CommandRun(["backup", "--check", path], socket: daemon.path).exitCode == .failed)
    }

    @Test func oneThatBreaksOffLeavesNothing() throws {
        let folder = try TemporaryDirectory()
        let daemon = try Self.daemon { path in
            path == "/v1/backup/collection" ? Self.chunked(Self.bytes, isWhole: false) : nil
        }
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .failed)
        #expect(Self.names(folder) == [])
        #expect(CommandRun(["backup", "--check", "\(folder.path)/b"], socket: daemon.path).exitCode == .failed)
    }

    @Test func whatAKilledCommandLeftIsRemovedAndNothingElse() throws {
        let folder = try TemporaryDirectory()
        let daemon = try Self.daemon()
        let partial = "\(folder.path)/b.partial"
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false)
        try Data("mine".utf8).write(to: URL(filePath: "\(partial)/letter"))
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .usage)
        #expect(FileManager.default.fileExists(atPath: "\(partial)/letter"))
        try Data().write(to: URL(filePath: "\(partial)/unfinished"))
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .ok)
        #expect(Self.names(folder) == ["b"])
        // Killed when it was whole, before it got its name; and before it could mark the folder.
        try FileManager.default.moveItem(atPath: "\(folder.path)/b", toPath: partial)
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .ok)
        try FileManager.default.createDirectory(atPath: partial, withIntermediateDirectories: false)
        try FileManager.default.removeItem(atPath: "\(folder.path)/b")
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .ok)
        #expect(Self.names(folder) == ["b"])
    }

    @Test func placesThatWouldBeWrongAreRefused() throws {
        let folder = try TemporaryDirectory()
        let daemon = try Self.daemon(state: folder.path + "/state")
        for path in ["/photos/b", "/photos", "\(folder.path)/state/b"] {
            #expect(CommandRun(["backup", path], socket: daemon.path).exitCode == .usage, "\(path)")
        }
        let huge = try Self.daemon(bytes: 1 << 60)
        #expect(CommandRun(["backup", "\(folder.path)/b"], socket: huge.path).exitCode == .failed)
        for name in ["../up", "/etc", "a//b", "a/./b", ""] {
            let daemon = try Self.daemon(name: name)
            #expect(CommandRun(["backup", "\(folder.path)/b"], socket: daemon.path).exitCode == .failed, "\(name)")
        }
        #expect(Self.names(folder) == [])
    }

    @Test func verifySaysWhatIsDamagedAndFails() throws {
        let finding = JobLine.Finding(collection: "c", database: "img", key: "image 2", detail: "checksum")
        let lines = [
            JobLine(progress: .init(step: "img", done: 1, total: 2)), JobLine(finding: finding),
            JobLine(result: .init(records: 2, findings: 1, seconds: 1)),
        ]
        let body: [UInt8] = try lines.flatMap { line in Array(try JSONEncoder().encode(line)) + [UInt8(10)] }
        let daemon = try FakeDaemon { _ in Self.chunked(body, isWhole: true) }
        let run = CommandRun(["verify"], socket: daemon.path)
        #expect(run.exitCode == .failed)
        #expect(run.output == "damaged img image 2: checksum\n")
        #expect(daemon.requests.first?.target == "POST /v1/verify")
        #expect(CommandRun(["verify", "--json"], socket: daemon.path).output == String(decoding: body, as: UTF8.self))
        let short = try FakeDaemon { _ in Self.chunked(Array(body.dropLast(40)), isWhole: true) }
        #expect(CommandRun(["verify"], socket: short.path).exitCode == .failed)
    }

    @Test func rebuildFollowsTheJobToItsEnd() throws {
        let result = try JSONEncoder().encode(JobLine(result: .init(records: 1234, dropped: 1, seconds: 65)))
        let daemon = try FakeDaemon { _ in Self.chunked([UInt8](result) + [10], isWhole: true) }
        let run = CommandRun(["rebuild"], socket: daemon.path)
        #expect(run.exitCode == .ok)
        #expect(run.errors.contains("linked 1,234 vectors again in 1 min 5 s"))
        let failing = try JSONEncoder().encode(JobLine(problem: Problem(.storageFull, "no room")))
        let other = try FakeDaemon { _ in Self.chunked([UInt8](failing) + [10], isWhole: true) }
        #expect(CommandRun(["rebuild"], socket: other.path).exitCode == .failed)
    }
}
