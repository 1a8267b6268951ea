internal import CVulkan
internal import Inference

/// A `VkCommandPool` of one queue family; its command buffers live as long as it does.
final class CommandPool {
    private let handle: VkCommandPool
    private let device: Device

    fileprivate init(_ device: Device, family: UInt32) throws(InferenceError) {
        var info = VkCommandPoolCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO
        info.queueFamilyIndex = family
        var created: VkCommandPool?
        try device.check(
            device.functions.createCommandPool(device.handle, &info, nil, &created),
            "vkCreateCommandPool"
        )
        guard let created else { throw .deviceUnavailable(detail: "vkCreateCommandPool returned nothing") }
        handle = created
        self.device = device
    }

    deinit {
        if !device.isAbandoned { device.functions.destroyCommandPool(device.handle, handle, nil) }
    }

    /// Records a command buffer that may be submitted again and again, one submission at a time.
    func record(_ body: (CommandRecorder) -> Void) throws(InferenceError) -> VkCommandBuffer {
        var info = VkCommandBufferAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO
        info.commandPool = handle
        info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY
        info.commandBufferCount = 1
        var created: VkCommandBuffer?
        try device.check(
            device.functions.allocateCommandBuffers(device.handle, &info, &created),
            "vkAllocateCommandBuffers"
        )
        guard let created else { throw .deviceUnavailable(detail: "vkAllocateCommandBuffers returned nothing") }
        var begin = VkCommandBufferBeginInfo()
        begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO
        try device.check(device.functions.beginCommandBuffer(created, &begin), "vkBeginCommandBuffer")
        body(CommandRecorder(handle: created, functions: device.functions))
        try device.check(device.functions.endCommandBuffer(created), "vkEndCommandBuffer")
        return created
    }
}

/// A command buffer between its begin and its end.
struct CommandRecorder {
    /// Who wrote, or who reads next.
    enum Access {
        case copy, kernel, host

        fileprivate var stage: VkPipelineStageFlags {
            switch self {
            case .copy: VK_PIPELINE_STAGE_TRANSFER_BIT.rawValue
            case .kernel: VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT.rawValue
            case .host: VK_PIPELINE_STAGE_HOST_BIT.rawValue
            }
        }
        fileprivate var write: VkAccessFlags {
            switch self {
            case .copy: VK_ACCESS_TRANSFER_WRITE_BIT.rawValue
            case .kernel: VK_ACCESS_SHADER_WRITE_BIT.rawValue
            case .host: VK_ACCESS_HOST_WRITE_BIT.rawValue
            }
        }
        fileprivate var read: VkAccessFlags {
            switch self {
            case .copy: VK_ACCESS_TRANSFER_READ_BIT.rawValue
            case .kernel: VK_ACCESS_SHADER_READ_BIT.rawValue | VK_ACCESS_SHADER_WRITE_BIT.rawValue
            case .host: VK_ACCESS_HOST_READ_BIT.rawValue
            }
        }
    }

    fileprivate let handle: VkCommandBuffer
    fileprivate let functions: DeviceFunctions

    func copy(
        from source: Buffer,
        to target: Buffer,
        byteCount: Int,
        targetOffset: Int = 0
    ) {
        var region = VkBufferCopy()
        region.dstOffset = VkDeviceSize(targetOffset)
        region.size = VkDeviceSize(byteCount)
        functions.cmdCopyBuffer(handle, source.handle, target.handle, 1, &region)
    }

    /// What `before` wrote is what `after` reads.
    func barrier(_ before: Access, _ after: Access) {
        var barrier = VkMemoryBarrier()
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER
        barrier.srcAccessMask = before.write
        barrier.dstAccessMask = after.read
        functions.cmdPipelineBarrier(handle, before.stage, after.stage, 0, 1, &barrier, 0, nil, 0, nil)
    }

    func dispatch(
        _ pipeline: Pipeline,
        _ layout: KernelLayout,
        _ set: VkDescriptorSet,
        push: BatchConstants,
        groups: [Int]
    ) {
        functions.cmdBindPipeline(handle, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.handle)
        withUnsafePointer(to: Optional(set)) { set in
            functions.cmdBindDescriptorSets(
                handle,
                VK_PIPELINE_BIND_POINT_COMPUTE,
                layout.handle,
                0,
                1,
                set,
                0,
                nil
            )
        }
        withUnsafeBytes(of: push) { push in
            functions.cmdPushConstants(
                handle,
                layout.handle,
                VK_SHADER_STAGE_COMPUTE_BIT.rawValue,
                0,
                UInt32(push.count),
                push.baseAddress
            )
        }
        functions.cmdDispatch(handle, UInt32(groups[0]), UInt32(groups[1]), UInt32(groups[2]))
    }
}

extension Device {
    func makeCommandPool(for queue: Queue) throws(InferenceError) -> CommandPool {
        try CommandPool(self, family: queue.family)
    }
}
