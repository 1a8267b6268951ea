import Foundation
import Platform
import Testing

@testable import Daemon

@Suite struct ConfiguredRootsTests {
    private struct Refusal: Error, CustomStringConvertible { let description: String }

    @Test func aMissingFolderIsTriedAgainUntilItIsThere() {
        let mounted = Monitor(false)
        let watched = Monitor<[String]>([])
        let roots = ConfiguredRoots(["/here", "/away"]) { (path, _) in
            guard path == "/here" || mounted.withLock({ $0 }) else { throw Refusal(description: "no such folder") }
            watched.withLockNotifyingAll { $0.append(path) }
        }
        roots.tryAgain()
        #expect(roots.failures == [ConfiguredRoots.Failure(path: "/away", reason: "no such folder")])
        roots.tryAgain()
        #expect(watched.withLock { $0 } == ["/here"])
        mounted.withLockNotifyingAll { $0 = true }
        roots.tryAgain()
        #expect(roots.failures.isEmpty)
        #expect(watched.withLock { $0 } == ["/here", "/away"])
    }

    @Test func aRelativePathIsBelowTheWorkingDirectory() {
        let roots = ConfiguredRoots(["photos"]) { (_, _) in throw Refusal(description: "") }
        #expect(roots.failures.map(\.path) == ["\(FileManager.default.currentDirectoryPath)/photos"])
    }

    @Test func aNameBeforeThePathIsTheCollections() {
        let here = FileManager.default.currentDirectoryPath
        let settings = ["work=/a", "work=b=c", "/x=y", "./work=/a", "Work=/a", "="]
        let roots = ConfiguredRoots(settings) { (_, _) in throw Refusal(description: "") }
        let names = roots.failures.map(\.collection.description)
        #expect(names == ["work", "work", "default", "default", "default", "default"])
        #expect(
            roots.failures.map(\.path)
                == ["/a", "\(here)/b=c", "/x=y", "\(here)/./work=/a", "\(here)/Work=/a", "\(here)/="]
        )
    }
}
