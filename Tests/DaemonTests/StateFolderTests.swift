import Foundation
import TestSupport
import Testing

@testable import Daemon

@Suite struct StateFolderTests {
    @Test func aSecondDaemonIsRefusedAndTouchesNothing() throws {
        let place = try TemporaryDirectory()
        let path = place.url.appending(path: "deep/state").path
        let first = try StateFolder(path)
        let upload = "\(first.temporary)/upload-1"
        #expect(FileManager.default.createFile(atPath: upload, contents: Data("half".utf8)))
        #expect(throws: StateFolderError.inUse(path: path)) { try StateFolder(path) }
        #expect(FileManager.default.fileExists(atPath: upload))
        withExtendedLifetime(first) {}
    }

    @Test func whatAKilledDaemonLeftIsRemovedAtTheNextStart() throws {
        let path = try TemporaryDirectory()
        let state = path.url.appending(path: "state").path
        do {
            let first = try StateFolder(state)
            #expect(FileManager.default.createFile(atPath: "\(first.temporary)/upload-1", contents: Data()))
        }
        let second = try StateFolder(state)
        #expect(try FileManager.default.contentsOfDirectory(atPath: second.temporary).isEmpty)
        let mode = try FileManager.default.attributesOfItem(atPath: state)[.posixPermissions] as? Int
        #expect(mode == 0o700)
    }

    @Test func aFileInTheWayIsNamed() throws {
        let place = try TemporaryDirectory()
        let path = place.url.appending(path: "file").path
        #expect(FileManager.default.createFile(atPath: path, contents: Data()))
        let error = #expect(throws: StateFolderError.self) { try StateFolder(path) }
        #expect(error?.description.contains(path) == true)
    }
}
