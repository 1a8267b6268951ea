import Foundation
import Inference
import Platform
import TestSupport
import Testing

@testable import ModelFiles

struct ManifestTests {
    @Test func `every file of Models is embedded under its name`() throws {
        let folder = SharedData.projectRoot.appending(path: "Models")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".json") }
        let manifests = try ModelManifest.embedded()
        #expect(manifests.map { "\($0.name).json" }.sorted() == files.sorted())
        for manifest in manifests {
            let text = try Data(contentsOf: folder.appending(path: "\(manifest.name).json"))
            #expect(try ModelManifest(json: text, origin: "") == manifest)
        }
        let words = manifests.flatMap { [$0.name] + $0.aliases }
        #expect(Set(words).count == words.count)
    }

    @Test func `what can be fetched is complete and fits its network`() throws {
        for manifest in try ModelManifest.embedded() where manifest.weights == nil {
            let source = try #require(manifest.source, "\(manifest.name)")
            let kerasLike = manifest.name.hasSuffix("-keras")
            #expect(manifest.architecture == (manifest.name.hasPrefix("vgg16") ? .vgg16 : .vgg19))
            #expect(manifest.preprocessing == (kerasLike ? .keras : .torchvision))
            #expect(source.format == (kerasLike ? .h5 : .pth))
            #expect(source.address.hasPrefix("https://"))
            #expect(!manifest.licence.isEmpty && !manifest.description.isEmpty)
            let weightByteCount = manifest.architecture.layers.convolutions.reduce(0) {
                $0 + 4 * ($1.weightCount + $1.outputChannels)
            }
            // Beside the weights a file has names; torchvision's has the classifier too.
            let maximum = kerasLike ? weightByteCount + 100_000 : 600_000_000
            #expect((weightByteCount...maximum).contains(source.byteCount))
        }
        #expect(try ModelManifest.embedded("vgg16").name == "vgg16-keras")
        #expect(try ModelManifest.embedded("vgg19").source?.digest.algorithm == .md5)
        #expect(throws: ModelFileError.self) { try ModelManifest.embedded("vgg17") }
    }

    @Test func `included weights are the file that the manifest names, small, finite and of its network`() throws {
        let included = try ModelManifest.embedded().filter { $0.weights != nil }
        #expect(included.map(\.name) == [ModelLibrary.defaultName])
        for manifest in included {
            let weights = try #require(manifest.weights)
            let file = SharedData.projectRoot.appending(path: "Models/\(weights.file)")
            let bytes = [UInt8](try Data(contentsOf: file))
            #expect(bytes.count == weights.bytes && bytes.count <= 32 << 20)
            #expect(SHA256Digest(of: bytes).description == weights.sha256)
            let embedded = try IncludedModel.weights(of: manifest.name)
            #expect(try embedded.read(0..<embedded.count) == bytes)
            let imported = try ImportedWeights(embedded, preprocessing: nil, defaultHead: .max)
            #expect(imported.description.architecture == manifest.architecture)
        }
    }

    private static let valid = #"""
        {"name": "tiny", "description": "d", "licence": "CC0", "defaultHead": "mean", "stages": [[2], [4]],
         "preprocessing": {"side": 32, "geometry": {"squash": {}}, "channelOrder": "rgb",
                           "mean": [0, 0, 0], "scale": [1, 1, 1]},
         "source": {"address": "https://example.org/w", "format": "safetensors", "bytes": SIZE, "sha256": "DIGEST"}}
        """#

    private static func text(_ bytes: [UInt8] = [1]) -> String {
        valid.replacing("SIZE", with: "\(bytes.count)").replacing("DIGEST", with: SHA256Digest(of: bytes).description)
    }

    @Test(arguments: [
        (#""name": "tiny""#, #""name": "a/b""#, "cannot name a model"),
        (#""name": "tiny","#, "", "`name` is missing"),
        ("[[2], [4]]", "[[2], []]", "`stages`"),
        (#""side": 32"#, #""side": 0"#, "side"),
        (#""safetensors""#, #""zip""#, "`source.format`"),
        (#""sha256": ""#, #""sha256": "0"#, "64 hexadecimal digits"),
        (#""sha256""#, #""md5""#, "64 hexadecimal digits"),
        (#""bytes": 1"#, #""bytes": 0"#, "above 0"),
        (#""name""#, #""weights": {"file": "f", "bytes": 1, "sha256": "0"}, "name""#, "either `source` or `weights`"),
        (#""mean""#, #""median""#, "`defaultHead`"),
        (#""CC0""#, "\"\(String(repeating: "x", count: 5000))\"", "longer than 4096 bytes"),
        ("{", "", "not"),
    ])
    func `a broken manifest is refused by what is wrong`(part: String, replacement: String, word: String) throws {
        let whole = Self.text()
        let range = try #require(whole.range(of: part))
        let text = whole.replacingCharacters(in: range, with: replacement)
        let error = try #require(throws: ModelFileError.self) {
            try ModelManifest(json: Data(text.utf8), origin: "m")
        }
        #expect(error.description.contains(word), "\(error)")
    }

    @Test func `a file is imported by its manifest, and no other file`() throws {
        let folder = try TemporaryDirectory()
        let library = try ModelLibrary(folder: folder.path + "/models")
        let path = try SafetensorsFixture.valid.write(to: folder)
        let text = Self.text(SafetensorsFixture.valid.bytes)
        let manifest = try ModelManifest(json: Data(text.utf8), origin: "m")
        let summary = try library.importModel(from: path, as: "tiny", manifest: manifest)
        #expect(summary.preprocessing == manifest.preprocessing)
        #expect(summary.licence == "CC0")
        #expect(summary.defaultHead == .mean)
        #expect(try library.importModel(from: path, as: "b", manifest: manifest, defaultHead: .max).defaultHead == .max)

        func refused(_ text: String, _ word: String) throws {
            let other = try ModelManifest(json: Data(text.utf8), origin: "m")
            let error = try #require(throws: ModelFileError.self) {
                try library.importModel(from: path, as: "other", manifest: other)
            }
            #expect(error.description.contains(word), "\(error)")
        }
        try refused(Self.text(), "where the manifest says 1")
        try refused(
            text.replacing(manifest.source?.digest.digits ?? "", with: String(repeating: "a", count: 64)),
            "aaaa"
        )
        try refused(text.replacing("[[2], [4]]", with: "[[2], [5]]"), "widths 2-4, not VGG11 to conv2_1, widths 2-5")
        #expect(throws: ModelFileError.self) {
            try library.importModel(from: path, as: "other", manifest: ModelManifest.embedded(ModelLibrary.defaultName))
        }
        #expect(try library.list().models.map(\.name) == ["b", "tiny"])
    }
}
