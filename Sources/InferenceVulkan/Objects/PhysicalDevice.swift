internal import CVulkan
internal import Inference
internal import Platform

/// A `VkPhysicalDevice` and what it says of itself.
struct PhysicalDevice {
    let instance: Instance
    let handle: VkPhysicalDevice
    let info: VulkanDeviceInfo
    let limits: VkPhysicalDeviceLimits
    /// Compute family of choice; nil when the device has none.
    let queueFamily: UInt32?
    /// Family that only copies, so that uploads run beside kernels; nil when the device has none.
    let copyFamily: UInt32?
    /// What tells this device and its driver from all others.
    let identity: DeviceIdentity
    let extensions: Set<String>
    let capabilities: DeviceCapabilities

    init(instance: Instance, handle: VkPhysicalDevice, index: Int) {
        self.instance = instance
        self.handle = handle
        let functions = instance.functions

        // Extension names first: a structure of an absent extension must not be chained.
        let listed: [VkExtensionProperties]? = try? list("vkEnumerateDeviceExtensionProperties") { count, elements in
            functions.enumerateDeviceExtensionProperties(handle, nil, count, elements)
        }
        extensions = Set((listed ?? []).map { text($0.extensionName) })

        var identity = VkPhysicalDeviceIDProperties()
        identity.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES
        var driver = VkPhysicalDeviceDriverProperties()
        driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES
        var properties = VkPhysicalDeviceProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2
        withUnsafeMutablePointer(to: &identity) { identity in
            withUnsafeMutablePointer(to: &driver) { driver in
                driver.pointee.pNext = UnsafeMutableRawPointer(identity)
                properties.pNext = UnsafeMutableRawPointer(driver)
                functions.getPhysicalDeviceProperties2(handle, &properties)
            }
        }
        capabilities = DeviceCapabilities(handle, functions, available: extensions)
        let core = properties.properties
        limits = core.limits
        let families: [VkQueueFamilyProperties]? = try? list("vkGetPhysicalDeviceQueueFamilyProperties") {
            functions.getPhysicalDeviceQueueFamilyProperties(handle, $0, $1)
            return VK_SUCCESS
        }
        queueFamily = Self.computeFamily(of: families ?? [])
        copyFamily = Self.copyFamily(of: families ?? [])
        self.identity = DeviceIdentity(
            vendor: core.vendorID,
            device: core.deviceID,
            driverVersion: core.driverVersion,
            cacheUUID: elements(core.pipelineCacheUUID, of: UInt8.self),
            deviceUUID: elements(identity.deviceUUID, of: UInt8.self)
        )

        let version = APIVersion(core.apiVersion)
        let reason: String? =
            if version < Instance.apiVersion {
                "it speaks Vulkan \(version), \(Instance.apiVersion) is needed"
            } else if queueFamily == nil {
                "it has no compute queue"
            } else {
                nil
            }
        info = VulkanDeviceInfo(
            index: index,
            name: text(core.deviceName),
            uuid: uuidText(identity.deviceUUID),
            vendor: vendorName(core.vendorID),
            driver: "\(text(driver.driverName)) \(text(driver.driverInfo))",
            apiVersion: version.description,
            isSoftware: core.deviceType == VK_PHYSICAL_DEVICE_TYPE_CPU,
            memoryByteCount: Self.memoryBudget(of: handle, functions, extensions),
            unusableReason: reason
        )
    }

    /// Why `tier` cannot run here, in words; nil when it can. It must still pass the self-test.
    func obstacle(to tier: Tier) -> String? { tier.obstacle(on: capabilities) }

    /// Bytes this process may still take of the device's own memory now.
    var memoryBudget: Int { Self.memoryBudget(of: handle, instance.functions, extensions) }

    var memoryProperties: VkPhysicalDeviceMemoryProperties {
        var properties = VkPhysicalDeviceMemoryProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        instance.functions.getPhysicalDeviceMemoryProperties2(handle, &properties)
        return properties.memoryProperties
    }

    /// A family that only computes runs beside the desktop's graphics; else any that computes.
    private static func computeFamily(of families: [VkQueueFamilyProperties]) -> UInt32? {
        let compute = families.enumerated().filter {
            $0.element.queueFlags & VK_QUEUE_COMPUTE_BIT.rawValue != 0 && $0.element.queueCount > 0
        }
        let alone = compute.first { $0.element.queueFlags & VK_QUEUE_GRAPHICS_BIT.rawValue == 0 }
        return (alone ?? compute.first).map { UInt32($0.offset) }
    }

    private static func copyFamily(of families: [VkQueueFamilyProperties]) -> UInt32? {
        let work = VK_QUEUE_COMPUTE_BIT.rawValue | VK_QUEUE_GRAPHICS_BIT.rawValue
        let index = families.firstIndex {
            $0.queueFlags & VK_QUEUE_TRANSFER_BIT.rawValue != 0 && $0.queueFlags & work == 0 && $0.queueCount > 0
        }
        return index.map { UInt32($0) }
    }

    /// Largest device-local heap: its budget less its use where VK_EXT_memory_budget tells them, else its size.
    private static func memoryBudget(
        of handle: VkPhysicalDevice,
        _ functions: InstanceFunctions,
        _ extensions: Set<String>
    ) -> Int {
        let knowsBudget = extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME)
        var budget = VkPhysicalDeviceMemoryBudgetPropertiesEXT()
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT
        var properties = VkPhysicalDeviceMemoryProperties2()
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2
        withUnsafeMutablePointer(to: &budget) { budget in
            if knowsBudget { properties.pNext = UnsafeMutableRawPointer(budget) }
            functions.getPhysicalDeviceMemoryProperties2(handle, &properties)
        }
        let heaps = elements(properties.memoryProperties.memoryHeaps, of: VkMemoryHeap.self)
            .prefix(Int(properties.memoryProperties.memoryHeapCount))
        let budgets = elements(budget.heapBudget, of: VkDeviceSize.self)
        let uses = elements(budget.heapUsage, of: VkDeviceSize.self)
        var most: VkDeviceSize = 0
        for (index, heap) in heaps.enumerated() where heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT.rawValue != 0 {
            let free = knowsBudget ? budgets[index] - min(budgets[index], uses[index]) : heap.size
            most = max(most, free)
        }
        return Int(clamping: most)
    }
}

/// The elements of a C array, which Swift sees as a tuple.
func elements<Tuple, Element>(_ tuple: Tuple, of type: Element.Type) -> [Element] {
    // SAFETY: a homogeneous tuple imported from a C array lies in memory as the array does.
    withUnsafeBytes(of: tuple) { Array($0.bindMemory(to: type)) }
}

/// The text of a `char[]` member, which ends at its first zero.
private func text<Tuple>(_ tuple: Tuple) -> String {
    String(decoding: elements(tuple, of: UInt8.self).prefix { $0 != 0 }, as: UTF8.self)
}

private func uuidText<Tuple>(_ tuple: Tuple) -> String {
    let bytes = elements(tuple, of: UInt8.self)
    return [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
        .map(\.hexadecimal).joined(separator: "-")
}

/// PCI vendor numbers, and Khronos' own for those that have none.
private func vendorName(_ number: UInt32) -> String {
    switch number {
    case 0x1002: "AMD"
    case 0x1010: "Imagination"
    case 0x10DE: "NVIDIA"
    case 0x13B5: "Arm"
    case 0x14E4: "Broadcom"
    case 0x5143: "Qualcomm"
    case 0x8086: "Intel"
    case 0x10005: "Mesa"
    default: "vendor 0x" + String(number, radix: 16)
    }
}

/// What tells a device and its driver from all others: what was compiled or measured for one is worth nothing to another.
struct DeviceIdentity: Equatable {
    /// PCI numbers of vendor and device.
    let vendor: UInt32
    let device: UInt32
    /// In the vendor's own coding.
    let driverVersion: UInt32
    /// `pipelineCacheUUID`, 16 bytes: changes whenever the driver could no longer read its own old caches.
    let cacheUUID: [UInt8]
    /// `deviceUUID`, 16 bytes: the one card among equals.
    let deviceUUID: [UInt8]

    /// The device UUID as 32 hexadecimal digits.
    var deviceDigits: String {
        deviceUUID.hexadecimal
    }
}

/// A Vulkan device as the system lists it, usable or not.
package struct VulkanDeviceInfo: Sendable, Hashable {
    /// Position in the system's list; may change between boots.
    package let index: Int
    package let name: String
    /// The driver's device UUID, 32 hexadecimal digits in groups of 8-4-4-4-12; stable between boots.
    package let uuid: String
    package let vendor: String
    /// Driver name and version in the driver's own words.
    package let driver: String
    /// Highest Vulkan version, such as `1.3.230`.
    package let apiVersion: String
    /// The processor plays the device (lavapipe, SwiftShader).
    package let isSoftware: Bool
    /// Bytes a process may take of the device's own memory: the driver's budget where it tells one, else all of it.
    package let memoryByteCount: Int
    /// Why no network can run there, in words; nil when one can.
    package let unusableReason: String?

    /// Whether a person who wrote `designation` means this device: its index, its UUID, or a part of its name, in any case.
    package func answers(to designation: String) -> Bool {
        if let number = Int(designation) { return number == index }
        let wanted = designation.lowercased()
        return uuid == wanted || uuid.filter { $0 != "-" } == wanted || name.lowercased().contains(wanted)
    }
}

extension VulkanDeviceInfo: CustomStringConvertible {
    package var description: String { "\(index): \(name) (\(driver))" }
}
