import Foundation
import Inference
import Platform
import TestSupport
import Testing

@testable import ModelFiles

struct ModelLibraryTests {
    let folder: TemporaryDirectory
    let library: ModelLibrary

    init() throws {
        folder = try TemporaryDirectory()
        library = try ModelLibrary(folder: folder.path + "/models")
    }

    @Test func `a model is imported, listed, selected and opened`() throws {
        let source = try SafetensorsFixture.valid.write(to: folder)
        #expect(try library.list().models.isEmpty)
        #expect(try library.selection() == nil)

        let imported = try library.importModel(
            from: source,
            as: "tiny-1",
            preprocessing: .torchvision,
            defaultHead: .mean
        )
        #expect(try library.list().models == [imported])
        #expect(imported.defaultHead == .mean)
        #expect(imported.preprocessing == .torchvision)
        #expect(!imported.isUntrained)

        #expect(try library.select("tiny-1") == ModelSelection(name: "tiny-1", head: .mean))
        #expect(try library.select("tiny-1", head: .gem3) == ModelSelection(name: "tiny-1", head: .gem3))
        let reopened = try ModelLibrary(folder: library.folder)
        let (model, head) = try reopened.openSelected()
        #expect(head == .gem3)
        #expect(model.summary == imported)
        #expect(model.network.weightsDigest.description == imported.digest)
    }

    @Test func `an existing model is never replaced`() throws {
        let source = try SafetensorsFixture.valid.write(to: folder)
        _ = try library.importModel(from: source, as: "tiny")
        for name in ["tiny", ModelLibrary.defaultName] {
            #expect(throws: ModelFileError.modelExists(name: name)) { try library.importModel(from: source, as: name) }
        }
    }

    @Test(arguments: ["", ".hidden", "a/b", "..", "ä", "a b", String(repeating: "a", count: 65), "a\0"])
    func `a bad name is refused everywhere`(name: String) throws {
        let source = try SafetensorsFixture.valid.write(to: folder)
        let expected = ModelFileError.invalidModelName(name)
        #expect(throws: expected) { try library.importModel(from: source, as: name) }
        #expect(throws: expected) { try library.open(name) }
        #expect(throws: expected) { try library.select(name) }
    }

    @Test func `what does not exist cannot be opened or selected`() {
        #expect(throws: ModelFileError.modelNotFound(name: "none")) { try library.open("none") }
        #expect(throws: ModelFileError.modelNotFound(name: "none")) { try library.select("none") }
    }

    @Test func `a damaged pack is listed with its reason beside the sound ones`() throws {
        let source = try SafetensorsFixture.valid.write(to: folder)
        let sound = try library.importModel(from: source, as: "sound")
        try Data("LIKEPACK".utf8).write(to: URL(filePath: library.folder + "/broken.pack"))
        let listing = try library.list()
        #expect(listing.models == [sound])
        #expect(Array(listing.damaged.keys) == ["broken"])
    }

    @Test func `a damaged selection is an error, not a default`() throws {
        try Data("{".utf8).write(to: URL(filePath: library.folder + "/selected"))
        #expect(throws: ModelFileError.self) { try library.selection() }
        #expect(throws: ModelFileError.self) { try library.openSelected() }
    }

    @Test func `a failed import leaves nothing behind`() throws {
        let source = try SafetensorsFixture(header: "{}", dataByteCount: 0).write(to: folder)
        #expect(throws: ModelFileError.self) { try library.importModel(from: source, as: "empty") }
        #expect(try FileManager.default.contentsOfDirectory(atPath: library.folder).isEmpty)
    }

    @Test func `a folder begun with the default of an earlier version goes on with it`() throws {
        let source = try SafetensorsFixture.valid.write(to: folder)
        _ = try library.importModel(from: source, as: IncludedModel.formerDefaultNames[0])
        #expect(try library.openSelected().model.summary.name == IncludedModel.formerDefaultNames[0])
        try library.select(ModelLibrary.defaultName)
        #expect(try library.openSelected().model.summary.name == ModelLibrary.defaultName)
    }

    @Test func `a first start has the model that comes with the program`() throws {
        let manifest = try ModelManifest.embedded(ModelLibrary.defaultName)
        let (model, head) = try library.openSelected()
        #expect(head == manifest.defaultHead)
        #expect(model.summary.name == ModelLibrary.defaultName)
        #expect(!model.summary.isUntrained)
        #expect(model.summary.preprocessing == manifest.preprocessing)
        #expect(model.summary.licence == manifest.licence)
        #expect(model.summary.dimension == manifest.architecture.layers.outputChannels)
        #expect(try library.list().models == [model.summary])
        // The packed model file holds what a read of the file gives, to the bit.
        let file = SharedData.projectRoot.appending(path: "Models/\(ModelLibrary.defaultName).safetensors").path
        #expect(try Model.open(weights: file).network.weightsDigest == model.network.weightsDigest)
        // Made once.
        let again = try ModelLibrary(folder: library.folder).openSelected().model
        #expect(again.summary == model.summary)
    }
}
