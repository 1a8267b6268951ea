internal import CVulkan
internal import Inference

/// A `VkDevice` with its one compute queue; the only maker of everything that lives on it.
///
/// Belongs to one thread at a time, as its queue does. What it makes keeps it alive.
final class Device {
    let physical: PhysicalDevice
    let handle: VkDevice
    let functions: DeviceFunctions
    let queue: VkQueue
    let queueFamily: UInt32
    private let memoryTypes: [VkMemoryType]

    /// Set when work hangs on the device and will not end: from then on nothing on it is destroyed, for destroying what a
    /// queue still uses is undefined. The process leaks it and goes on with the CPU.
    var isAbandoned = false

    var name: String { physical.info.name }
    var limits: VkPhysicalDeviceLimits { physical.limits }

    /// - Throws: `.deviceUnavailable`, `.outOfMemory`, `.deviceLost`.
    init(_ physical: PhysicalDevice) throws(InferenceError) {
        guard let queueFamily = physical.queueFamily else {
            throw .deviceUnavailable(detail: "\(physical.info): it has no compute queue")
        }
        let capabilities = physical.capabilities
        var created: VkDevice?
        let result = withCStrings(capabilities.extensions) { extensions in
            withUnsafePointer(to: Float(1)) { priority in
                var queueInfo = VkDeviceQueueCreateInfo()
                queueInfo.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO
                queueInfo.queueFamilyIndex = queueFamily
                queueInfo.queueCount = 1
                queueInfo.pQueuePriorities = priority
                return withUnsafePointer(to: queueInfo) { queueInfo in
                    capabilities.withFeatures { features in
                        var info = VkDeviceCreateInfo()
                        info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO
                        info.pNext = UnsafeRawPointer(features)
                        info.queueCreateInfoCount = 1
                        info.pQueueCreateInfos = queueInfo
                        info.enabledExtensionCount = UInt32(extensions.count)
                        info.ppEnabledExtensionNames = extensions.baseAddress
                        return physical.instance.functions.createDevice(physical.handle, &info, nil, &created)
                    }
                }
            }
        }
        try InferenceVulkan.check(result, "vkCreateDevice", device: physical.info.name)
        guard let created else { throw .deviceUnavailable(detail: "vkCreateDevice returned nothing") }
        let functions = try DeviceFunctions(physical.instance.functions.getDeviceProcAddr, created)
        var queue: VkQueue?
        functions.getDeviceQueue(created, queueFamily, 0, &queue)
        guard let queue else {
            functions.destroyDevice(created, nil)
            throw .deviceUnavailable(detail: "\(physical.info): vkGetDeviceQueue returned nothing")
        }
        self.physical = physical
        self.functions = functions
        handle = created
        self.queue = queue
        self.queueFamily = queueFamily
        let memory = physical.memoryProperties
        memoryTypes = Array(elements(memory.memoryTypes, of: VkMemoryType.self).prefix(Int(memory.memoryTypeCount)))
    }

    deinit {
        if isAbandoned {
            // An instance must not be destroyed before its devices: it leaks with this one.
            _ = Unmanaged.passRetained(physical.instance)
        } else {
            functions.destroyDevice(handle, nil)
        }
    }

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
