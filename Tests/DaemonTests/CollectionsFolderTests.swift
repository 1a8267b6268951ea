import Foundation
import Platform
import TestSupport
import Testing

@testable import Daemon

@Suite struct CollectionsFolderTests {
    private let place: TemporaryDirectory
    private let work: CollectionName

    init() throws {
        place = try TemporaryDirectory()
        work = try #require(CollectionName("work"))
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(place.path)/\(path)") }

    private func write(_ path: String) throws {
        let file = place.url.appending(path: path)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data("/photos\0".utf8).write(to: file)
    }

    @Test func theFoldersAreTheList() throws {
        let folder = try CollectionsFolder(stateDirectory: place.path)
        #expect(try folder.names() == [.standard])
        try folder.create(work)
        #expect(throws: SystemError.self) { try folder.create(work) }
        try write("collections/No Name/data.mdb")
        let again = try CollectionsFolder(stateDirectory: place.path)
        #expect(try again.names() == [.standard, work])
        #expect(exists("collections/No Name/data.mdb"))
    }

    @Test func whatIsRemovedIsGoneAndItsNameFree() throws {
        let folder = try CollectionsFolder(stateDirectory: place.path)
        try folder.create(work)
        try write("collections/work/0123/data.mdb")
        try folder.remove(work)
        #expect(try folder.names() == [.standard])
        #expect(try FileManager.default.contentsOfDirectory(atPath: "\(place.path)/collections") == ["default"])
        try folder.create(work)
        #expect(!exists("collections/work/0123"))
    }

    /// Killed between the rename and the end of the deletion.
    @Test func whatAKilledDaemonHadRemovedIsDeletedAtTheNextStart() throws {
        try write("collections/.removed-work-17/0123/data.mdb")
        #expect(try CollectionsFolder(stateDirectory: place.path).names() == [.standard])
        #expect(!exists("collections/.removed-work-17"))
    }

    @Test func theListOfFoldersOfTheOnlyCollectionBecomesThatOfTheStandardOne() throws {
        try write("roots")
        _ = try CollectionsFolder(stateDirectory: place.path)
        #expect(exists("collections/default/roots"))
        #expect(!exists("roots"))
        try write("roots")
        // Made by somebody else since: the list in force stays.
        try Data().write(to: place.url.appending(path: "collections/default/roots"))
        _ = try CollectionsFolder(stateDirectory: place.path)
        #expect(try Data(contentsOf: place.url.appending(path: "collections/default/roots")).isEmpty)
    }
}
