internal import CVulkan
internal import Inference

/// A `VkBuffer`, bound to a part of a memory block.
final class Buffer {
    /// What the memory is for.
    enum Place: CaseIterable {
        /// In the device, for kernels.
        case device
        /// In the device; the upload queue writes it, kernels read it.
        case uploaded
        /// The host writes, the device copies from it. Mapped for as long as the buffer lives.
        case upload
        /// The device copies into it, the host reads. Mapped for as long as the buffer lives.
        case readback
    }

    /// What to make.
    struct Request {
        let byteCount: Int
        let place: Place
    }

    let handle: VkBuffer
    let byteCount: Int
    let place: Place
    /// What the driver wants of its memory.
    let needs: VkMemoryRequirements
    private var block: MemoryBlock?
    private var offset = 0
    private let device: Device

    /// A buffer without memory; `bind` must follow.
    init(_ device: Device, _ request: Request) throws(InferenceError) {
        let functions = device.functions
        // The two families that share a buffer would otherwise have to hand it over with every use.
        let families = [device.computeQueue.family, device.uploadQueue.family]
        let isShared = request.place == .uploaded && families[0] != families[1]
        var created: VkBuffer?
        let result = families.withUnsafeBufferPointer { families in
            var info = VkBufferCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
            info.size = VkDeviceSize(request.byteCount)
            info.usage = request.place.usage
            info.sharingMode = isShared ? VK_SHARING_MODE_CONCURRENT : VK_SHARING_MODE_EXCLUSIVE
            info.queueFamilyIndexCount = isShared ? 2 : 0
            info.pQueueFamilyIndices = isShared ? families.baseAddress : nil
            return functions.createBuffer(device.handle, &info, nil, &created)
        }
        try device.check(result, "vkCreateBuffer", byteCount: request.byteCount)
        guard let created else { throw .deviceUnavailable(detail: "vkCreateBuffer returned nothing") }
        var needs = VkMemoryRequirements()
        functions.getBufferMemoryRequirements(device.handle, created, &needs)
        handle = created
        byteCount = request.byteCount
        place = request.place
        self.needs = needs
        self.device = device
    }

    deinit {
        // The block goes after this, when no other buffer lies in it.
        if !device.isAbandoned { device.functions.destroyBuffer(device.handle, handle, nil) }
    }

    func bind(_ block: MemoryBlock, offset: Int) throws(InferenceError) {
        try device.check(
            device.functions.bindBufferMemory(device.handle, handle, block.handle, VkDeviceSize(offset)),
            "vkBindBufferMemory"
        )
        self.block = block
        self.offset = offset
    }

    /// The mapped bytes; empty where the host has no access.
    var mapped: UnsafeMutableRawBufferPointer {
        guard let block, !block.mapped.isEmpty else { return UnsafeMutableRawBufferPointer(start: nil, count: 0) }
        return UnsafeMutableRawBufferPointer(rebasing: block.mapped[offset..<offset + byteCount])
    }
}

extension Buffer.Place {
    private static let coherent =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue

    var isMapped: Bool { self == .upload || self == .readback }

    fileprivate var usage: VkBufferUsageFlags {
        let source = VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
        let target = VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue
        return switch self {
        case .device, .uploaded: VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | source | target
        case .upload: source
        case .readback: target
        }
    }

    var required: VkMemoryPropertyFlags { isMapped ? Self.coherent : 0 }

    var preferred: VkMemoryPropertyFlags {
        switch self {
        case .device, .uploaded: VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        case .upload: Self.coherent
        // The host reads uncached memory a word at a time.
        case .readback: Self.coherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        }
    }
}
