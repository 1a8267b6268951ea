import Foundation
import Platform
import Testing

@testable import InferenceVulkan

@Suite struct PipelineCacheFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "likeness-cache-\(UUID().uuidString)")
        .path

    private func identity(driver: UInt32 = 3, card: UInt8 = 9) -> DeviceIdentity {
        DeviceIdentity(
            vendor: 0x10DE,
            device: 0x2335,
            driverVersion: driver,
            cacheUUID: [UInt8](repeating: 7, count: 16),
            deviceUUID: [UInt8](repeating: card, count: 16)
        )
    }

    private func file(driver: UInt32 = 3, shaders: String = "kernels") -> PipelineCacheFile {
        PipelineCacheFile(
            folder: folder,
            identity: identity(driver: driver),
            shaderDigest: SHA256Digest(of: Array(shaders.utf8))
        )
    }

    @Test func `what was written is read, and by nobody else`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        guard case .failure(.absent) = file().read() else {
            Issue.record("there is something")
            return
        }
        let data = (0..<1000).map { UInt8(truncatingIfNeeded: $0) }
        try file().write(data)
        #expect(try file().read().get() == data)
        for other in [file(driver: 4), file(shaders: "others")] {
            guard case .failure(.outdated) = other.read() else {
                Issue.record("a foreign file was read")
                return
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }

    @Test func `any damage is a miss`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let file = file()
        try file.write([UInt8](repeating: 5, count: 40))
        let whole = try Data(contentsOf: URL(filePath: file.path))
        #expect(whole.count == PipelineCacheFile.headerByteCount + 40)
        for position in whole.indices {
            var damaged = whole
            damaged[position] ^= 0x10
            try damaged.write(to: URL(filePath: file.path))
            #expect(throws: PipelineCacheFile.Miss.self, "byte \(position)") { try file.read().get() }
        }
        for length in [0, 1, 8, 127, 128, whole.count - 1] {
            try whole.prefix(length).write(to: URL(filePath: file.path))
            #expect(throws: PipelineCacheFile.Miss.self, "\(length) bytes") { try file.read().get() }
        }
        try (whole + [0]).write(to: URL(filePath: file.path))
        #expect(throws: PipelineCacheFile.Miss.self) { try file.read().get() }
    }
}
