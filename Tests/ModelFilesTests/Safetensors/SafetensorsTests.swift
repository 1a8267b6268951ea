import Foundation
import Inference
import TestSupport
import Testing

@testable import ModelFiles

/// A safetensors file as text and numbers, so that tests can break it.
struct SafetensorsFixture {
    var header: String
    var data: [UInt8]

    /// A header text with data of zeros.
    init(header: String, dataByteCount: Int) {
        self.header = header
        data = [UInt8](repeating: 0, count: dataByteCount)
    }

    /// Two convolutions, 3 to 2 to 4 channels, with a pool between them; weights are small whole numbers.
    static var valid: SafetensorsFixture {
        var offset = 0
        var entries: [String] = []
        for (name, shape) in [
            ("features.0.weight", [2, 3, 3, 3]), ("features.0.bias", [2]),
            ("features.3.weight", [4, 2, 3, 3]), ("features.3.bias", [4]),
        ] {
            let byteCount = 4 * shape.reduce(1, *)
            entries.append(entry(name, "F32", shape, offset, offset + byteCount))
            offset += byteCount
        }
        var fixture = SafetensorsFixture(header: "{" + entries.joined(separator: ",") + "}", dataByteCount: 0)
        fixture.data = (0..<offset / 4).flatMap { index in
            withUnsafeBytes(of: Float(index % 7 - 3).bitPattern.littleEndian) { Array($0) }
        }
        return fixture
    }

    static func entry(_ name: String, _ type: String, _ shape: [Int], _ start: Int, _ end: Int) -> String {
        "\"\(name)\":{\"dtype\":\"\(type)\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}"
    }

    var bytes: [UInt8] {
        withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) } + Array(header.utf8) + data
    }

    func write(to folder: TemporaryDirectory, _ name: String = "w.safetensors") throws -> String {
        let path = folder.path + "/" + name
        try Data(bytes).write(to: URL(filePath: path))
        return path
    }
}

struct SafetensorsTests {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func open(_ bytes: [UInt8]) throws -> Model {
        let path = folder.path + "/w.safetensors"
        try Data(bytes).write(to: URL(filePath: path))
        return try Model(foreign: path, preprocessing: .keras, defaultHead: .max)
    }

    @Test func `a valid file becomes a network with its weights`() throws {
        let model = try open(SafetensorsFixture.valid.bytes)
        #expect(
            model.network.layers == [
                .convolution(.init(index: 0, inputChannels: 3, outputChannels: 2)), .pool(.max2x2),
                .convolution(.init(index: 1, inputChannels: 2, outputChannels: 4)),
            ]
        )
        #expect(model.summary.dimension == 4)
        model.network.withWeight(1) { span in
            #expect(span.count == 72)
            #expect(span[0] == Float(56 % 7 - 3))
        }
        model.network.withBias(0) { span in #expect(span[1] == Float(55 % 7 - 3)) }
    }

    @Test func `every truncation is refused`() throws {
        let bytes = SafetensorsFixture.valid.bytes
        let headerEnd = bytes.count - SafetensorsFixture.valid.data.count
        for count in Array(0...headerEnd) + [headerEnd + 1, bytes.count - 4, bytes.count - 1] {
            #expect(throws: ModelFileError.self, "\(count) bytes") { try open(Array(bytes[..<count])) }
        }
        #expect(throws: ModelFileError.self) { try open(bytes + [0]) }
    }

    @Test func `every changed header byte is refused or read as something sound`() throws {
        let bytes = SafetensorsFixture.valid.bytes
        let headerEnd = bytes.count - SafetensorsFixture.valid.data.count
        for position in 0..<headerEnd {
            for value: UInt8 in [0, UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "\""), 0xFF] {
                var broken = bytes
                broken[position] = value
                // Either outcome is fine; a trap would end the test process.
                do { _ = try open(broken) } catch is ModelFileError {}
            }
        }
    }

    @Test(arguments: [UInt64.max, UInt64(Int64.max), 1 << 40, 9 << 20])
    func `a huge header length is refused`(length: UInt64) throws {
        var bytes = SafetensorsFixture.valid.bytes
        bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: length.littleEndian) { Array($0) })
        #expect(throws: ModelFileError.self) { try open(bytes) }
    }

    @Test(arguments: [
        ("a range behind the end", SafetensorsFixture.entry("features.0.bias", "F32", [2], 0, 4096)),
        ("a backward range", SafetensorsFixture.entry("features.0.bias", "F32", [2], 8, 0)),
        ("a negative range", SafetensorsFixture.entry("features.0.bias", "F32", [2], -8, 0)),
        ("a shape of other size", SafetensorsFixture.entry("features.0.bias", "F32", [3], 0, 8)),
        ("an overflowing shape", SafetensorsFixture.entry("features.0.bias", "F32", [1 << 62, 1 << 62], 0, 8)),
        ("a negative shape", SafetensorsFixture.entry("features.0.bias", "F32", [-1, -2], 0, 8)),
        ("an unknown type", SafetensorsFixture.entry("features.0.bias", "F33", [2], 0, 8)),
        ("a hole", SafetensorsFixture.entry("features.0.bias", "F32", [1], 4, 8)),
        (
            "an overlap",
            SafetensorsFixture.entry("features.0.bias", "F32", [2], 0, 8) + ","
                + SafetensorsFixture.entry("features.0.weight", "F32", [1], 4, 8)
        ),
        ("a fractional offset", "\"features.0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,7.5]}"),
        ("one offset", "\"features.0.bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8]}"),
        ("no shape", "\"features.0.bias\":{\"dtype\":\"F32\",\"data_offsets\":[0,8]}"),
    ])
    func `a hostile header is refused as malformed`(what: String, entries: String) throws {
        let fixture = SafetensorsFixture(header: "{\(entries)}", dataByteCount: 8)
        let error = try #require(throws: ModelFileError.self, "\(what)") { try open(fixture.bytes) }
        guard case .malformedWeights = error else {
            Issue.record("\(what): \(error)")
            return
        }
    }

    @Test func `deep nesting does not exhaust the stack`() throws {
        let text = "{" + String(repeating: "\"a\":{", count: 100_000)
        #expect(throws: ModelFileError.self) { try open(SafetensorsFixture(header: text, dataByteCount: 0).bytes) }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a non-finite weight is refused by its tensor's name`(value: Float) throws {
        var fixture = SafetensorsFixture.valid
        let position = 4 * (54 + 2 + 10)
        fixture.data.replaceSubrange(
            position..<position + 4,
            with: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        )
        let error = try #require(throws: ModelFileError.self) { try open(fixture.bytes) }
        #expect(error.description.contains("features.3.weight"))
    }

    @Test(arguments: [
        ("features.3.", "features.4."), ("features.3.", "features.5."), ("features.0.", "features.1."),
        ("features.3.bias", "features.3.running_mean"), ("features.", "layers."), ("[4, 2, 3, 3]", "[2, 4, 3, 3]"),
        ("[4, 2, 3, 3]", "[4, 2, 1, 9]"), ("[4, 2, 3, 3]", "[4, 18]"), ("features.3.", "features.+3."),
    ])
    func `a sound file of another architecture is refused`(part: String, replacement: String) throws {
        var fixture = SafetensorsFixture.valid
        fixture.header = fixture.header.replacingOccurrences(of: part, with: replacement)
        #expect(throws: ModelFileError.self) { try open(fixture.bytes) }
    }

    @Test func `half precision and bfloat16 are widened exactly`() throws {
        for (bits, value): (UInt16, Float) in [
            (0, 0), (0x3C00, 1), (0xC000, -2), (0x7BFF, 65504), (0x0001, 0x1p-24), (0x0400, 0x1p-14),
            (0x3555, 0.333251953125),
        ] {
            #expect(FloatFormat.half(bits) == value)
        }
        #expect(!FloatFormat.half(0x7C00).isFinite)
        #expect(FloatFormat.half(0x7E00).isNaN)

        var fixture = SafetensorsFixture(
            header: "{"
                + [
                    SafetensorsFixture.entry("features.0.weight", "BF16", [1, 3, 3, 3], 0, 54),
                    SafetensorsFixture.entry("features.0.bias", "F16", [1], 54, 56),
                ].joined(separator: ",") + "}",
            dataByteCount: 56
        )
        fixture.data[0] = 0x80
        fixture.data[1] = 0x3F
        fixture.data[55] = 0x40
        let model = try open(fixture.bytes)
        model.network.withWeight(0) { #expect($0[0] == 1) }
        model.network.withBias(0) { #expect($0[0] == 2) }
    }

    @Test func `what is no file is unreadable`() throws {
        let missing = folder.path + "/none.safetensors"
        for path in [missing, folder.path, "/dev/zero"] {
            let error = try #require(throws: ModelFileError.self) {
                try Model(foreign: path, preprocessing: .keras, defaultHead: .max)
            }
            guard case .unreadableWeights = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test(
        .requiresSharedData,
        arguments: [
            ("vgg19-slim", "VGG19 to conv5_1, widths 16-32-64-128-128", 128), ("vgg19-conv3_1", "VGG to conv3_1", 256),
        ]
    )
    func `trained files are recognised`(name: String, architecture: String, dimension: Int) throws {
        let path = SharedData.models.appending(path: "\(name).safetensors").path
        let summary = try Model.open(weights: path).summary
        #expect(summary.name == name)
        #expect(summary.architecture == architecture)
        #expect(summary.dimension == dimension)
        #expect(!summary.licence.isEmpty)
    }
}
