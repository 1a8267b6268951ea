import Foundation
import Platform
import Testing

@testable import Daemon

@Suite struct ConfiguredRootsTests {
    private struct Refusal: Error, CustomStringConvertible { let description: String }

    @Test func aMissingFolderIsTriedAgainUntilItIsThere() {
        let mounted = Monitor(false)
        let watched = Monitor<[String]>([])
        let roots = ConfiguredRoots(["/here", "/away"]) { path in
            guard path == "/here" || mounted.read({ $0 }) else { throw Refusal(description: "no such folder") }
            watched.update { $0.append(path) }
        }
        roots.tryAgain()
        #expect(roots.failures == [ConfiguredRoots.Failure(path: "/away", reason: "no such folder")])
        roots.tryAgain()
        #expect(watched.read { $0 } == ["/here"])
        mounted.update { $0 = true }
        roots.tryAgain()
        #expect(roots.failures.isEmpty)
        #expect(watched.read { $0 } == ["/here", "/away"])
    }

    @Test func aRelativePathIsBelowTheWorkingDirectory() {
        let roots = ConfiguredRoots(["photos"]) { _ in throw Refusal(description: "") }
        #expect(roots.failures.map(\.path) == ["\(FileManager.default.currentDirectoryPath)/photos"])
    }
}
