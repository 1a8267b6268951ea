import Foundation
import InferenceVulkan
import Testing

struct TuningTests {
    private static let shape = ConvolutionShape(side: 28, inputChannels: 256, outputChannels: 512, pools: true)
    private static let other = ConvolutionShape(side: 14, inputChannels: 512, outputChannels: 512, pools: false)

    private static func measurement(_ kernel: String, _ imageCount: Int, _ milliseconds: Double) -> Tuning.Measurement {
        Tuning.Measurement(shape: shape, kernel: kernel, imageCount: imageCount, milliseconds: milliseconds)
    }

    private static func key(_ driver: String = "580.1") -> TuningFile.Key {
        TuningFile.Key(
            deviceUUID: "0123-4567",
            driverVersion: driver,
            shaderDigest: String(repeating: "a", count: 64),
            tier: .cooperative
        )
    }

    @Test func `the fastest kernel of each count wins`() {
        let tuning = Tuning([
            Self.measurement("small", 1, 0.1), Self.measurement("large", 1, 0.3),
            Self.measurement("small", 8, 0.6), Self.measurement("large", 8, 0.4),
            Self.measurement("small", 32, 2.4), Self.measurement("large", 32, 1.3),
        ])
        let choices = tuning.choices(for: Self.shape)?.map { "\($0.fromImages) \($0.kernel)" }
        #expect(choices == ["1 small", "8 large"])
        #expect(tuning.choices(for: Self.other) == nil)
    }

    @Test func `a gain that may be noise changes nothing`() {
        let tuning = Tuning([
            Self.measurement("a", 4, 1), Self.measurement("b", 4, 1.5),
            Self.measurement("a", 8, 2), Self.measurement("b", 8, 1.96),
        ])
        // What was measured for four counts below it too.
        #expect(tuning.choices(for: Self.shape)?.map(\.kernel) == ["a"])
        #expect(tuning.choices(for: Self.shape)?.first?.fromImages == 1)
    }

    @Test func `a time of zero is no measurement`() {
        #expect(
            Tuning([Self.measurement("a", 1, 0), Self.measurement("b", 1, 2)]).choices(for: Self.shape)?.first?.kernel
                == "b"
        )
    }

    @Test func `what is kept is found again, and nothing else`() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "tuning-\(UUID())").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = TuningFile(folder: folder, key: Self.key())
        #expect(file.read() == nil)
        let tuning = Tuning([Self.measurement("a", 1, 1)])
        try file.write(tuning)
        #expect(file.read() == tuning)
        #expect(TuningFile(folder: folder, key: Self.key("580.2")).read() == nil, "of another driver")

        // Any damage is a miss.
        let name = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        let path = "\(folder)/\(name)"
        let whole = try Data(contentsOf: URL(filePath: path))
        for length in [0, 1, whole.count / 2, whole.count - 2] {
            try whole.prefix(length).write(to: URL(filePath: path))
            #expect(file.read() == nil, "\(length) bytes")
        }
        try Data(String(decoding: whole, as: UTF8.self).replacing("\"version\" : 1", with: "\"version\" : 2").utf8)
            .write(to: URL(filePath: path))
        #expect(file.read() == nil, "of another version")
        try file.write(tuning)
        #expect(file.read() == tuning)
    }
}
