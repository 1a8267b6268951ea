import CShaders
import Foundation
import Platform
import TestSupport
import Testing

/// Sources, checked-in binaries, manifest and what is embedded belong together.
struct ShaderFreshnessTests {
    private struct Manifest: Decodable {
        struct Kernel: Decodable {
            let name: String
            let source: String
            let compiler: String
            let macros: String
            let sourceSha256: String
            let spirvSha256: String
        }
        let kernels: [Kernel]
    }

    private static let folder = SharedData.projectRoot.appending(path: "Shaders")

    private static func manifest() throws -> Manifest {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Manifest.self, from: Data(contentsOf: folder.appending(path: "spirv/manifest.json")))
    }

    private static func files(_ path: String, ending: String) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(at: folder.appending(path: path), includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == ending }.sorted { $0.path < $1.path }
    }

    @Test func `no source changed since the binaries were made`() throws {
        let includes = try Self.files("include", ending: "glsl").map { try Data(contentsOf: $0) }
        for kernel in try Self.manifest().kernels {
            let source = try Data(contentsOf: Self.folder.appending(path: kernel.source))
            let line = Data("\(kernel.compiler) \(kernel.macros)\n".utf8)
            let digest = SHA256Digest(of: [UInt8](includes.reduce(source, +) + line))
            #expect(digest.description == kernel.sourceSha256, "\(kernel.source) changed: run Shaders/build.sh")
        }
    }

    @Test func `every binary is listed, and embedded as listed`() throws {
        let kernels = try Self.manifest().kernels
        let checkedIn = try Self.files("spirv", ending: "spv").map { $0.deletingPathExtension().lastPathComponent }
        #expect(kernels.map(\.name).sorted() == checkedIn)
        for kernel in kernels {
            let module = try #require(CShaders_find(kernel.name), "\(kernel.name) is not embedded")
            let bytes = [UInt8](UnsafeRawBufferPointer(start: module.pointee.words, count: module.pointee.byteCount))
            #expect(SHA256Digest(of: bytes).description == kernel.spirvSha256, "\(kernel.name)")
        }
    }

    /// What a module declares must be turned on when a device is made, or drivers may refuse or miscompile it.
    @Test func `no kernel declares a capability that its tier does not turn on`() throws {
        // Shader, Float16, GroupNonUniform, StorageBuffer16BitAccess, VulkanMemoryModel, then cooperative matrices: of NVIDIA
        // per-element operations and tensor addressing (its two halves), and of Khronos.
        let shader: Set<UInt32> = [1]
        let matrices = shader.union([9, 61, 5345, 6022])
        let workgroupMatrices = matrices.union([4433, 5432, 5433, 5439])
        for kernel in try Self.manifest().kernels {
            let module = try #require(CShaders_find(kernel.name))
            let words = UnsafeBufferPointer(start: module.pointee.words, count: module.pointee.byteCount / 4)
            var declared: Set<UInt32> = []
            var at = 5
            while at < words.count {
                // OpCapability is instruction 17; the upper half of a word counts the words.
                if words[at] & 0xFFFF == 17 { declared.insert(words[at + 1]) }
                at += max(1, Int(words[at] >> 16))
            }
            let allowed =
                kernel.name.contains("_cooperative2_")
                ? workgroupMatrices
                : kernel.name.contains("_cooperative_")
                    ? matrices : kernel.name.contains("_f16") ? shader.union([4433]) : shader
            #expect(!declared.isEmpty && declared.isSubset(of: allowed), "\(kernel.name): \(declared)")
        }
    }

    @Test(
        .enabled(
            if: TestEnvironment.requiresAll || FileManager.default.isExecutableFile(atPath: "/usr/bin/glslc"),
            "needs packages glslc and spirv-tools"
        )
    )
    func `the compiler makes the same binaries again`() throws {
        let process = Process()
        process.executableURL = Self.folder.appending(path: "build.sh")
        process.arguments = ["--check"]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "Shaders/build.sh --check, see its words above")
    }
}
