internal import CVulkan
internal import Glibc
internal import Inference

/// `libvulkan.so.1`, opened at run time so that the daemon starts where it is missing.
///
/// It is never closed: drivers leave thread-local destructors behind that must find their code until the process ends.
struct VulkanLibrary {
    private let getInstanceProcAddr: PFN_vkGetInstanceProcAddr

    /// - Throws: `.deviceUnavailable` where there is no Vulkan loader.
    init() throws(InferenceError) {
        guard let handle = dlopen("libvulkan.so.1", RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "dlopen failed"
            throw .deviceUnavailable(detail: "Vulkan is not installed (\(reason)); package libvulkan1 brings it")
        }
        guard let symbol = dlsym(handle, "vkGetInstanceProcAddr") else {
            throw .deviceUnavailable(detail: "libvulkan.so.1 has no vkGetInstanceProcAddr")
        }
        // SAFETY: the symbol's type is fixed by the Vulkan specification.
        getInstanceProcAddr = unsafeBitCast(symbol, to: PFN_vkGetInstanceProcAddr.self)
    }

    /// The function of this name: of the library itself when `instance` is nil, else of that instance.
    ///
    /// `Function` must be the `PFN_` type that the headers declare for `name`; the table's properties see to that.
    func function<Function>(_ name: String, of instance: VkInstance? = nil) throws(InferenceError) -> Function {
        guard let pointer = getInstanceProcAddr(instance, name) else {
            throw .deviceUnavailable(detail: "the Vulkan loader has no \(name)")
        }
        return unsafeBitCast(pointer, to: Function.self)
    }
}

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
