internal import CShaders
internal import CVulkan
internal import Inference
internal import Platform

/// A `VkPipelineCache`, begun with what a file of an earlier run held.
final class PipelineCache {
    let handle: VkPipelineCache
    /// Whether the file served.
    let isWarm: Bool
    private let device: Device
    private let file: PipelineCacheFile?
    /// Digest of what the file held at the start.
    private let initialDigest: SHA256Digest?
    private static let log = Log("vulkan")

    /// Reads the file in `folder`; nil keeps nothing.
    fileprivate init(_ device: Device, folder: String?) throws(InferenceError) {
        let file = folder.map {
            PipelineCacheFile(folder: $0, identity: device.physical.identity, shaderDigest: Self.shaderDigest)
        }
        var known: [UInt8] = []
        if let file {
            switch file.read() {
            case .success(let data): known = data
            case .failure(.absent): break
            case .failure(let miss): Self.log.notice("\(file.path) is not used: \(miss)")
            }
        }
        var created: VkPipelineCache?
        func create(_ data: [UInt8]) -> VkResult {
            data.withUnsafeBytes { data in
                var info = VkPipelineCacheCreateInfo()
                info.sType = VK_STRUCTURE_TYPE_PIPELINE_CACHE_CREATE_INFO
                info.initialDataSize = data.count
                info.pInitialData = data.isEmpty ? nil : data.baseAddress
                return device.functions.createPipelineCache(device.handle, &info, nil, &created)
            }
        }
        var result = create(known)
        if result != VK_SUCCESS, !known.isEmpty {
            // Drivers should ignore what they do not like, but some refuse it.
            known = []
            result = create(known)
        }
        try device.check(result, "vkCreatePipelineCache")
        guard let created else { throw .deviceUnavailable(detail: "vkCreatePipelineCache returned nothing") }
        handle = created
        isWarm = !known.isEmpty
        initialDigest = isWarm ? SHA256Digest(of: known) : nil
        self.file = file
        self.device = device
    }

    deinit {
        if !device.isAbandoned { device.functions.destroyPipelineCache(device.handle, handle, nil) }
    }

    /// Writes what was compiled since the start to the file. A failure is logged and costs the next start some time.
    func save() {
        guard let file, let data = data(), SHA256Digest(of: data) != initialDigest else { return }
        do { try file.write(data) } catch { Self.log.warning("the pipeline cache is not kept: \(error)") }
    }

    private func data() -> [UInt8]? {
        var count = 0
        guard device.functions.getPipelineCacheData(device.handle, handle, &count, nil) == VK_SUCCESS, count > 0
        else { return nil }
        var data = [UInt8](repeating: 0, count: count)
        let result = data.withUnsafeMutableBytes { data in
            device.functions.getPipelineCacheData(device.handle, handle, &count, data.baseAddress)
        }
        return result == VK_SUCCESS ? Array(data.prefix(count)) : nil
    }

    /// Of every kernel's SPIR-V, in order: another build of the kernels begins another file.
    static let shaderDigest: SHA256Digest = {
        var hash = SHA256()
        var index = 0
        while let module = CShaders_at(index) {
            index += 1
            let words = UnsafeRawBufferPointer(start: module.pointee.words, count: module.pointee.byteCount)
            // SAFETY: the words are constants of the program.
            hash.update(words.bytes)
        }
        return hash.finish()
    }()
}

extension Device {
    func makePipelineCache(folder: String?) throws(InferenceError) -> PipelineCache {
        try PipelineCache(self, folder: folder)
    }
}
