internal import CVulkan
internal import Inference

/// A block for suballocation: one `VkDeviceMemory` that several buffers share, mapped for its whole life where the host has
/// access. It goes with the last buffer in it.
final class MemoryBlock {
    /// Devices take allocations of this size at least (maxMemoryAllocationSize of Vulkan 1.1), so none is larger.
    static let byteLimit = 1 << 30

    let handle: VkDeviceMemory
    /// All bytes, or none.
    let mapped: UnsafeMutableRawBufferPointer
    private let device: Device

    fileprivate init(_ device: Device, byteCount: Int, type: UInt32, isMapped: Bool) throws(InferenceError) {
        var info = VkMemoryAllocateInfo()
        info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO
        info.allocationSize = VkDeviceSize(byteCount)
        info.memoryTypeIndex = type
        var created: VkDeviceMemory?
        let functions = device.functions
        try device.check(
            functions.allocateMemory(device.handle, &info, &created),
            "vkAllocateMemory",
            byteCount: byteCount
        )
        guard let created else { throw .deviceUnavailable(detail: "vkAllocateMemory returned nothing") }
        var address: UnsafeMutableRawPointer?
        if isMapped {
            let result = functions.mapMemory(device.handle, created, 0, VkDeviceSize(byteCount), 0, &address)
            if result != VK_SUCCESS {
                functions.freeMemory(device.handle, created, nil)
                try device.check(result, "vkMapMemory", byteCount: byteCount)
            }
        }
        handle = created
        mapped = UnsafeMutableRawBufferPointer(start: address, count: address == nil ? 0 : byteCount)
        self.device = device
    }

    deinit {
        // Freeing unmaps.
        if !device.isAbandoned { device.functions.freeMemory(device.handle, handle, nil) }
    }
}

extension Device {
    /// Makes buffers that live and die together, with as few allocations as their kinds of memory and `MemoryBlock.byteLimit`
    /// allow.
    ///
    /// - Throws: `.outOfMemory` with the byte count.
    func makeBuffers(_ requests: [Buffer.Request]) throws(InferenceError) -> [Buffer] {
        var buffers: [Buffer] = []
        for request in requests { buffers.append(try Buffer(self, request)) }
        struct Kind: Hashable {
            let type: UInt32
            let isMapped: Bool
        }
        var groups: [Kind: [Buffer]] = [:]
        for buffer in buffers {
            let type = try memoryType(
                among: buffer.needs.memoryTypeBits,
                required: buffer.place.required,
                preferred: buffer.place.preferred
            )
            groups[Kind(type: type, isMapped: buffer.place.isMapped), default: []].append(buffer)
        }
        for (kind, members) in groups.sorted(by: { $0.key.type < $1.key.type }) {
            for (parts, byteCount) in Self.blocks(members) {
                let block =
                    try MemoryBlock(self, byteCount: byteCount, type: kind.type, isMapped: kind.isMapped)
                for (buffer, offset) in parts { try buffer.bind(block, offset: offset) }
            }
        }
        return buffers
    }

    /// Lays buffers one after the other, and begins a new block where the limit is reached. One buffer may be larger.
    private static func blocks(_ buffers: [Buffer]) -> [(parts: [(Buffer, offset: Int)], byteCount: Int)] {
        var blocks: [(parts: [(Buffer, offset: Int)], byteCount: Int)] = []
        var parts: [(Buffer, offset: Int)] = []
        var end = 0
        for buffer in buffers {
            let start = end.rounded(upTo: max(1, Int(clamping: buffer.needs.alignment)))
            let size = Int(clamping: buffer.needs.size)
            if !parts.isEmpty, start + size > MemoryBlock.byteLimit {
                blocks.append((parts, end))
                parts = [(buffer, 0)]
                end = size
            } else {
                parts.append((buffer, start))
                end = start + size
            }
        }
        if !parts.isEmpty { blocks.append((parts, end)) }
        return blocks
    }
}
