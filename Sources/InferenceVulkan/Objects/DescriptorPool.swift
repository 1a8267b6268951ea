internal import CVulkan
internal import Inference

/// A part of a buffer that a kernel sees as one binding.
struct BufferRange {
    let buffer: Buffer
    var offset = 0
    let byteCount: Int
}

/// A `VkDescriptorPool` with one set for each step of a graph; the sets are written once.
final class DescriptorPool {
    let sets: [VkDescriptorSet]
    private let handle: VkDescriptorPool
    private let device: Device

    fileprivate init(_ device: Device, layout: KernelLayout, bindings: [[BufferRange?]]) throws(InferenceError) {
        let functions = device.functions
        var size = VkDescriptorPoolSize()
        size.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
        size.descriptorCount = UInt32(bindings.count) * KernelLayout.bindingCount
        var created: VkDescriptorPool?
        let result = withUnsafePointer(to: size) { size in
            var info = VkDescriptorPoolCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO
            info.maxSets = UInt32(bindings.count)
            info.poolSizeCount = 1
            info.pPoolSizes = size
            return functions.createDescriptorPool(device.handle, &info, nil, &created)
        }
        try device.check(result, "vkCreateDescriptorPool")
        guard let created else { throw .deviceUnavailable(detail: "vkCreateDescriptorPool returned nothing") }

        let layouts = [VkDescriptorSetLayout?](repeating: layout.setLayout, count: bindings.count)
        var allocated = [VkDescriptorSet?](repeating: nil, count: bindings.count)
        let allocation = layouts.withUnsafeBufferPointer { layouts in
            var info = VkDescriptorSetAllocateInfo()
            info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO
            info.descriptorPool = created
            info.descriptorSetCount = UInt32(layouts.count)
            info.pSetLayouts = layouts.baseAddress
            return functions.allocateDescriptorSets(device.handle, &info, &allocated)
        }
        guard allocation == VK_SUCCESS else {
            functions.destroyDescriptorPool(device.handle, created, nil)
            throw VulkanStatus(result: allocation, call: "vkAllocateDescriptorSets")
                .meaning(device: device.name, byteCount: 0)
        }
        sets = allocated.compactMap(\.self)
        handle = created
        self.device = device
        for (set, ranges) in zip(sets, bindings) { write(set, ranges) }
    }

    /// Bindings without a range stay unwritten: the kernel does not name them.
    private func write(_ set: VkDescriptorSet, _ ranges: [BufferRange?]) {
        for case (let number, let range?) in ranges.enumerated() {
            var part = VkDescriptorBufferInfo()
            part.buffer = range.buffer.handle
            part.offset = VkDeviceSize(range.offset)
            part.range = VkDeviceSize(range.byteCount)
            withUnsafePointer(to: part) { part in
                var write = VkWriteDescriptorSet()
                write.sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET
                write.dstSet = set
                write.dstBinding = UInt32(number)
                write.descriptorCount = 1
                write.descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER
                write.pBufferInfo = part
                device.functions.updateDescriptorSets(device.handle, 1, &write, 0, nil)
            }
        }
    }

    deinit {
        if !device.isAbandoned { device.functions.destroyDescriptorPool(device.handle, handle, nil) }
    }
}

extension Device {
    /// One set for each element of `bindings`: source, parameters, target.
    func makeDescriptorPool(layout: KernelLayout, bindings: [[BufferRange?]]) throws(InferenceError) -> DescriptorPool {
        try DescriptorPool(self, layout: layout, bindings: bindings)
    }
}
