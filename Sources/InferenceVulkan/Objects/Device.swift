internal import CVulkan
internal import Inference
internal import Platform

/// A `VkQueue`.
struct Queue {
    let handle: VkQueue
    let family: UInt32
}

/// A `VkDevice` with its queues; the only maker of everything that lives on it.
///
/// Belongs to one thread at a time, as its queues do: that is what keeps them externally synchronised. Only pipelines are made
/// by several threads at once. What it makes keeps it alive.
final class Device {
    let physical: PhysicalDevice
    let handle: VkDevice
    let functions: DeviceFunctions
    let computeQueue: Queue
    /// Copies beside the kernels where the device has such a queue; else the compute queue.
    let uploadQueue: Queue
    private let memoryTypes: [VkMemoryType]

    /// Set when work hangs on the device and will not end: from then on nothing on it is destroyed, for destroying what a
    /// queue still uses is undefined. The process leaks it and goes on with the CPU.
    var isAbandoned = false

    var name: String { physical.info.name }
    var limits: VkPhysicalDeviceLimits { physical.limits }

    /// Opens `physical`; `faults` have calls fail, in tests.
    ///
    /// - Throws: `.deviceUnavailable`, `.outOfMemory`, `.deviceLost`.
    init(_ physical: PhysicalDevice, faults: VulkanFaults? = nil) throws(InferenceError) {
        guard let queueFamily = physical.queueFamily else {
            throw .deviceUnavailable(detail: "\(physical.info): it has no compute queue")
        }
        let families = [queueFamily] + [physical.copyFamily].compactMap(\.self)
        let capabilities = physical.capabilities
        var created: VkDevice?
        let result = withCStrings(capabilities.extensions) { extensions in
            withUnsafePointer(to: Float(1)) { priority in
                let queueInfos = families.map { family in
                    var info = VkDeviceQueueCreateInfo()
                    info.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                    info.queueFamilyIndex = family
                    info.queueCount = 1
                    info.pQueuePriorities = priority
                    return info
                }
                return queueInfos.withUnsafeBufferPointer { queueInfos in
                    capabilities.withFeatures { features in
                        var info = VkDeviceCreateInfo()
                        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
                        info.pNext = UnsafeRawPointer(features)
                        info.queueCreateInfoCount = UInt32(queueInfos.count)
                        info.pQueueCreateInfos = queueInfos.baseAddress
                        info.enabledExtensionCount = UInt32(extensions.count)
                        info.ppEnabledExtensionNames = extensions.baseAddress
                        return physical.instance.functions.createDevice(physical.handle, &info, nil, &created)
                    }
                }
            }
        }
        try InferenceVulkan.check(result, "vkCreateDevice", device: physical.info.name)
        guard let created else { throw .deviceUnavailable(detail: "vkCreateDevice returned nothing") }
        let functions =
            try DeviceFunctions(physical.instance.functions.getDeviceProcAddr, created, faults: faults)
        let queues = families.compactMap { family -> Queue? in
            var queue: VkQueue?
            functions.getDeviceQueue(created, family, 0, &queue)
            return queue.map { Queue(handle: $0, family: family) }
        }
        guard queues.count == families.count, let first = queues.first, let last = queues.last else {
            functions.destroyDevice(created, nil)
            throw .deviceUnavailable(detail: "\(physical.info): vkGetDeviceQueue returned nothing")
        }
        self.physical = physical
        self.functions = functions
        handle = created
        computeQueue = first
        uploadQueue = last
        let memory = physical.memoryProperties
        memoryTypes = Array(elements(memory.memoryTypes, of: VkMemoryType.self).prefix(Int(memory.memoryTypeCount)))
    }

    deinit {
        if isAbandoned {
            // An instance must not be destroyed before its devices: it stays with this one.
            let remains = Remains(instance: physical.instance, device: handle)
            Self.abandoned.withLockNotifyingAll { $0.append(remains) }
        } else {
            functions.destroyDevice(handle, nil)
        }
    }

    private struct Remains: @unchecked Sendable {
        // `@unchecked`: nobody uses them any more.
        let instance: Instance
        let device: VkDevice
    }

    /// What hung to the end of the process.
    private static let abandoned = Monitor<[Remains]>([])

    /// Calls the funnel with this device's name.
    func check(_ result: VkResult, _ call: String, byteCount: Int = 0) throws(InferenceError) {
        try InferenceVulkan.check(result, call, device: name, byteCount: byteCount)
    }

    /// The first memory type among `allowed` (a bit a type) that has all of `required`, and of `preferred` too where there is one.
    func memoryType(
        among allowed: UInt32,
        required: VkMemoryPropertyFlags,
        preferred: VkMemoryPropertyFlags
    ) throws(InferenceError) -> UInt32 {
        let fit = memoryTypes.indices.filter {
            allowed & 1 << UInt32($0) != 0 && memoryTypes[$0].propertyFlags & required == required
        }
        let best = fit.first { memoryTypes[$0].propertyFlags & preferred == preferred } ?? fit.first
        guard let best else { throw .deviceUnavailable(detail: "\(name) has no memory type with flags \(required)") }
        return UInt32(best)
    }
}
