internal import CVulkan
internal import Inference

/// A `VkBuffer` with an allocation of its own. There are few and large ones, so nothing is sub-allocated.
final class Buffer {
    /// What the memory is for.
    enum Place {
        /// In the device, for kernels.
        case device
        /// The host writes, the device copies from it. Mapped for as long as the buffer lives.
        case upload
        /// The device copies into it, the host reads. Mapped for as long as the buffer lives.
        case readback
    }

    let handle: VkBuffer
    let byteCount: Int
    /// The mapped bytes; empty in `.device`.
    let mapped: UnsafeMutableRawBufferPointer
    private let memory: VkDeviceMemory
    private let device: Device

    fileprivate init(_ device: Device, byteCount: Int, place: Place) throws(InferenceError) {
        var info = VkBufferCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO
        info.size = VkDeviceSize(byteCount)
        info.sharingMode = VK_SHARING_MODE_EXCLUSIVE
        info.usage = place.usage

        let functions = device.functions
        var buffer: VkBuffer?
        var memory: VkDeviceMemory?
        do throws(InferenceError) {
            try device.check(
                functions.createBuffer(device.handle, &info, nil, &buffer),
                "vkCreateBuffer",
                byteCount: byteCount
            )
            var needs = VkMemoryRequirements()
            functions.getBufferMemoryRequirements(device.handle, buffer, &needs)
            var allocation = VkMemoryAllocateInfo()
            allocation.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
            allocation.allocationSize = needs.size
            allocation.memoryTypeIndex =
                try device.memoryType(among: needs.memoryTypeBits, required: place.required, preferred: place.preferred)
            try device.check(
                functions.allocateMemory(device.handle, &allocation, nil, &memory),
                "vkAllocateMemory",
                byteCount: Int(clamping: needs.size)
            )
            try device.check(functions.bindBufferMemory(device.handle, buffer, memory, 0), "vkBindBufferMemory")
            var address: UnsafeMutableRawPointer?
            if place != .device {
                try device.check(
                    functions.mapMemory(device.handle, memory, 0, VkDeviceSize(byteCount), 0, &address),
                    "vkMapMemory"
                )
            }
            guard let buffer, let memory else { throw .deviceUnavailable(detail: "vkCreateBuffer returned nothing") }
            handle = buffer
            self.memory = memory
            mapped = UnsafeMutableRawBufferPointer(start: address, count: address == nil ? 0 : byteCount)
        } catch {
            functions.destroyBuffer(device.handle, buffer, nil)
            functions.freeMemory(device.handle, memory, nil)
            throw error
        }
        self.byteCount = byteCount
        self.device = device
    }

    deinit {
        guard !device.isAbandoned else { return }
        device.functions.destroyBuffer(device.handle, handle, nil)
        // Freeing unmaps.
        device.functions.freeMemory(device.handle, memory, nil)
    }
}

extension Buffer.Place {
    private static let coherent =
        VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT.rawValue | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT.rawValue

    fileprivate var usage: VkBufferUsageFlags {
        let source = VK_BUFFER_USAGE_TRANSFER_SRC_BIT.rawValue
        let target = VK_BUFFER_USAGE_TRANSFER_DST_BIT.rawValue
        return switch self {
        case .device: VK_BUFFER_USAGE_STORAGE_BUFFER_BIT.rawValue | source | target
        case .upload: source
        case .readback: target
        }
    }

    fileprivate var required: VkMemoryPropertyFlags { self == .device ? 0 : Self.coherent }

    fileprivate var preferred: VkMemoryPropertyFlags {
        switch self {
        case .device: VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT.rawValue
        case .upload: Self.coherent
        // The host reads uncached memory a word at a time.
        case .readback: Self.coherent | VK_MEMORY_PROPERTY_HOST_CACHED_BIT.rawValue
        }
    }
}

extension Device {
    /// - Throws: `.outOfMemory` with the byte count.
    func makeBuffer(byteCount: Int, place: Buffer.Place) throws(InferenceError) -> Buffer {
        try Buffer(self, byteCount: byteCount, place: place)
    }
}
