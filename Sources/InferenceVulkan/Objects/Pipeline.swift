internal import CShaders
internal import CVulkan
internal import Inference

/// The bindings that all kernels share (source, parameters, target) and the push constants: a `VkPipelineLayout`.
final class KernelLayout {
    /// Bytes of `BatchConstants`, the `Batch` block of `Shaders/include/chain.glsl`.
    static let pushByteCount = MemoryLayout<BatchConstants>.size
    static let bindingCount: UInt32 = 3

    let handle: VkPipelineLayout
    let setLayout: VkDescriptorSetLayout
    private let device: Device

    fileprivate init(_ device: Device) throws(InferenceError) {
        let functions = device.functions
        let bindings = (0..<Self.bindingCount).map { number in
            var binding = VkDescriptorSetLayoutBinding()
            binding.binding = number
            binding.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
            binding.descriptorCount = 1
            binding.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
            return binding
        }
        var setLayout: VkDescriptorSetLayout?
        let result = bindings.withUnsafeBufferPointer { bindings in
            var info = VkDescriptorSetLayoutCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO
            info.bindingCount = UInt32(bindings.count)
            info.pBindings = bindings.baseAddress
            return functions.createDescriptorSetLayout(device.handle, &info, nil, &setLayout)
        }
        try device.check(result, "vkCreateDescriptorSetLayout")

        var push = VkPushConstantRange()
        push.stageFlags = VK_SHADER_STAGE_COMPUTE_BIT.rawValue
        push.size = UInt32(Self.pushByteCount)
        var layout: VkPipelineLayout?
        let layoutResult = withUnsafePointer(to: push) { push in
            withUnsafePointer(to: setLayout) { setLayout in
                var info = VkPipelineLayoutCreateInfo()
                info.sType = VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO
                info.setLayoutCount = 1
                info.pSetLayouts = setLayout
                info.pushConstantRangeCount = 1
                info.pPushConstantRanges = push
                return functions.createPipelineLayout(device.handle, &info, nil, &layout)
            }
        }
        guard layoutResult == VK_SUCCESS, let layout, let setLayout else {
            functions.destroyDescriptorSetLayout(device.handle, setLayout, nil)
            try device.check(layoutResult, "vkCreatePipelineLayout")
            throw .deviceUnavailable(detail: "vkCreatePipelineLayout returned nothing")
        }
        handle = layout
        self.setLayout = setLayout
        self.device = device
    }

    deinit {
        guard !device.isAbandoned else { return }
        device.functions.destroyPipelineLayout(device.handle, handle, nil)
        device.functions.destroyDescriptorSetLayout(device.handle, setLayout, nil)
    }
}

/// A kernel specialised for one shape: a `VkPipeline`.
final class Pipeline {
    let handle: VkPipeline
    private let device: Device

    fileprivate init(
        _ device: Device,
        _ kernel: Kernel,
        constants: [UInt32],
        layout: KernelLayout,
        cache: PipelineCache
    ) throws(InferenceError) {
        let limits = device.limits
        guard kernel.threads <= Int(limits.maxComputeWorkGroupInvocations),
            kernel.sharedByteCount <= Int(limits.maxComputeSharedMemorySize)
        else {
            let needs = "\(kernel.threads) threads and \(kernel.sharedByteCount) bytes of shared memory"
            throw .deviceUnavailable(detail: "\(device.name) is too small for \(kernel.name): it needs \(needs)")
        }
        guard let module = CShaders_find(kernel.name) else {
            preconditionFailure("kernel \(kernel.name) is not in CShaders")
        }
        let functions = device.functions
        var shaderInfo = VkShaderModuleCreateInfo()
        shaderInfo.sType = VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO
        shaderInfo.codeSize = module.pointee.byteCount
        shaderInfo.pCode = module.pointee.words
        var shader: VkShaderModule?
        try device.check(
            functions.createShaderModule(device.handle, &shaderInfo, nil, &shader),
            "vkCreateShaderModule"
        )
        // A pipeline keeps what it needs of its module.
        defer { functions.destroyShaderModule(device.handle, shader, nil) }

        let entries = constants.indices.map { index in
            VkSpecializationMapEntry(constantID: UInt32(index), offset: UInt32(4 * index), size: 4)
        }
        var pipeline: VkPipeline?
        let result = entries.withUnsafeBufferPointer { entries in
            constants.withUnsafeBytes { bytes in
                var specialisation = VkSpecializationInfo()
                specialisation.mapEntryCount = UInt32(entries.count)
                specialisation.pMapEntries = entries.baseAddress
                specialisation.dataSize = bytes.count
                specialisation.pData = bytes.baseAddress
                return withUnsafePointer(to: specialisation) { specialisation in
                    "main".withCString { entryPoint in
                        var info = VkComputePipelineCreateInfo()
                        info.sType = VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO
                        info.layout = layout.handle
                        info.stage.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO
                        info.stage.stage = VK_SHADER_STAGE_COMPUTE_BIT
                        info.stage.module = shader
                        info.stage.pName = entryPoint
                        info.stage.pSpecializationInfo = specialisation
                        return withSubgroupSize(kernel.subgroupSize, info) { info in
                            functions.createComputePipeline(device.handle, cache.handle, info, &pipeline)
                        }
                    }
                }
            }
        }
        try device.check(result, "vkCreateComputePipelines of \(kernel.name)")
        guard let pipeline else { throw .deviceUnavailable(detail: "\(kernel.name): no pipeline was returned") }
        handle = pipeline
        self.device = device
    }

    deinit {
        if !device.isAbandoned { device.functions.destroyPipeline(device.handle, handle, nil) }
    }
}

extension Device {
    func makeKernelLayout() throws(InferenceError) -> KernelLayout { try KernelLayout(self) }

    /// Compiles `kernel`, or finds it in `cache`; element i of `constants` becomes its specialisation constant i.
    ///
    /// - Throws: `.deviceUnavailable` when the device's limits are below the kernel's needs, `.outOfMemory`.
    func makePipeline(
        _ kernel: Kernel,
        constants: [UInt32],
        layout: KernelLayout,
        cache: PipelineCache
    ) throws(InferenceError) -> Pipeline {
        try Pipeline(self, kernel, constants: constants, layout: layout, cache: cache)
    }
}

/// Calls `body` with `info` asking for full subgroups of `size` threads, or with it as it is when `size` is nil.
private func withSubgroupSize(
    _ size: Int?,
    _ info: VkComputePipelineCreateInfo,
    _ body: (UnsafePointer<VkComputePipelineCreateInfo>) -> VkResult
) -> VkResult {
    var info = info
    var required = VkPipelineShaderStageRequiredSubgroupSizeCreateInfo()
    required.sType = VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_REQUIRED_SUBGROUP_SIZE_CREATE_INFO
    return withUnsafeMutablePointer(to: &required) { required in
        if let size {
            required.pointee.requiredSubgroupSize = UInt32(size)
            info.stage.flags |= VK_PIPELINE_SHADER_STAGE_CREATE_REQUIRE_FULL_SUBGROUPS_BIT.rawValue
            info.stage.pNext = UnsafeRawPointer(required)
        }
        return body(&info)
    }
}
