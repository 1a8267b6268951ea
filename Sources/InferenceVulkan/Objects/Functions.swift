internal import CVulkan
internal import Inference

/// Instance-level functions, each under its C name without `vk`.
struct InstanceFunctions {
    let destroyInstance: PFN_vkDestroyInstance
    let enumeratePhysicalDevices: PFN_vkEnumeratePhysicalDevices
    let getPhysicalDeviceProperties2: PFN_vkGetPhysicalDeviceProperties2
    let getPhysicalDeviceFeatures2: PFN_vkGetPhysicalDeviceFeatures2
    let getPhysicalDeviceMemoryProperties2: PFN_vkGetPhysicalDeviceMemoryProperties2
    let getPhysicalDeviceQueueFamilyProperties: PFN_vkGetPhysicalDeviceQueueFamilyProperties
    let enumerateDeviceExtensionProperties: PFN_vkEnumerateDeviceExtensionProperties
    let createDevice: PFN_vkCreateDevice
    let getDeviceProcAddr: PFN_vkGetDeviceProcAddr
    /// Nil where no driver has cooperative matrices.
    let getCooperativeMatrixProperties: PFN_vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR?
    let getCooperativeMatrixFlexibleDimensions: PFN_vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV?

    init(_ library: VulkanLibrary, _ instance: VkInstance) throws(InferenceError) {
        destroyInstance = try library.function("vkDestroyInstance", of: instance)
        enumeratePhysicalDevices = try library.function("vkEnumeratePhysicalDevices", of: instance)
        getPhysicalDeviceProperties2 = try library.function("vkGetPhysicalDeviceProperties2", of: instance)
        getPhysicalDeviceFeatures2 = try library.function("vkGetPhysicalDeviceFeatures2", of: instance)
        getPhysicalDeviceMemoryProperties2 = try library.function("vkGetPhysicalDeviceMemoryProperties2", of: instance)
        getPhysicalDeviceQueueFamilyProperties =
            try library.function("vkGetPhysicalDeviceQueueFamilyProperties", of: instance)
        enumerateDeviceExtensionProperties = try library.function("vkEnumerateDeviceExtensionProperties", of: instance)
        createDevice = try library.function("vkCreateDevice", of: instance)
        getDeviceProcAddr = try library.function("vkGetDeviceProcAddr", of: instance)
        getCooperativeMatrixProperties =
            try? library.function("vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR", of: instance)
        getCooperativeMatrixFlexibleDimensions =
            try? library.function(
                "vkGetPhysicalDeviceCooperativeMatrixFlexibleDimensionsPropertiesNV",
                of: instance
            )
    }
}
