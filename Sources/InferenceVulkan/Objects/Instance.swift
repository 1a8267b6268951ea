internal import CVulkan
internal import Glibc
internal import Inference

/// A `VkInstance`. Lives as long as anything made from it.
final class Instance {
    let handle: VkInstance
    let functions: InstanceFunctions
    /// Collects what the validation layers say; only in tests.
    private let messenger: DebugMessenger?
    /// Kept for the messenger's callback, which holds an unretained pointer to it.
    private let validation: ValidationLog?

    /// What the oldest driver that serves us must offer.
    static let apiVersion = APIVersion(major: 1, minor: 2)
    /// The newest whose features are used where a driver has it: SPIR-V 1.6.
    private static let newestVersion = APIVersion(major: 1, minor: 3)

    /// - Parameter validation: turns on `VK_LAYER_KHRONOS_validation`, which must be installed, and hands it every message.
    /// - Throws: `.deviceUnavailable` without a loader, without Vulkan 1.2, or without any driver.
    init(validation: ValidationLog? = nil) throws(InferenceError) {
        let library = try VulkanLibrary()
        let enumerateVersion: PFN_vkEnumerateInstanceVersion = try library.function("vkEnumerateInstanceVersion")
        var version: UInt32 = 0
        try check(enumerateVersion(&version), "vkEnumerateInstanceVersion", device: "Vulkan")
        guard APIVersion(version) >= Self.apiVersion else {
            throw .deviceUnavailable(
                detail: "the Vulkan loader is \(APIVersion(version)), \(Self.apiVersion) is needed"
            )
        }
        let createInstance: PFN_vkCreateInstance = try library.function("vkCreateInstance")
        let layers = validation == nil ? [] : ["VK_LAYER_KHRONOS_validation"]
        let extensions = validation == nil ? [] : ["VK_EXT_debug_utils"]

        var reports = validation.map(DebugMessenger.description(of:)) ?? VkDebugUtilsMessengerCreateInfoEXT()
        var created: VkInstance?
        let result = withCStrings(layers) { layers in
            withCStrings(extensions) { extensions in
                "likeness".withCString { name in
                    var application = VkApplicationInfo()
                    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO
                    application.pApplicationName = name
                    application.apiVersion = Self.newestVersion.packed
                    return withUnsafePointer(to: application) { application in
                        withUnsafeMutablePointer(to: &reports) { reports in
                            var info = VkInstanceCreateInfo()
                            info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
                            if validation != nil { info.pNext = UnsafeRawPointer(reports) }
                            info.pApplicationInfo = application
                            info.enabledLayerCount = UInt32(layers.count)
                            info.ppEnabledLayerNames = layers.baseAddress
                            info.enabledExtensionCount = UInt32(extensions.count)
                            info.ppEnabledExtensionNames = extensions.baseAddress
                            return createInstance(&info, nil, &created)
                        }
                    }
                }
            }
        }
        try check(result, "vkCreateInstance", device: "Vulkan")
        guard let created else { throw .deviceUnavailable(detail: "vkCreateInstance returned nothing") }
        let destroy: PFN_vkDestroyInstance = try library.function("vkDestroyInstance", of: created)
        do throws(InferenceError) {
            functions = try InstanceFunctions(library, created)
            messenger = if let validation { try DebugMessenger(library, created, validation) } else { nil }
        } catch {
            destroy(created, nil)
            throw error
        }
        handle = created
        self.validation = validation
    }

    deinit {
        messenger?.destroy()
        functions.destroyInstance(handle, nil)
    }

    /// All devices, in the loader's order.
    func physicalDevices() throws(InferenceError) -> [PhysicalDevice] {
        let handles =
            try list("vkEnumeratePhysicalDevices") { count, elements in
                self.functions.enumeratePhysicalDevices(self.handle, count, elements)
            } as [VkPhysicalDevice?]
        return handles.compactMap(\.self).enumerated().map { PhysicalDevice(instance: self, handle: $1, index: $0) }
    }
}

/// `major.minor.patch` of the Vulkan specification.
struct APIVersion: Comparable, CustomStringConvertible {
    let major: UInt32
    let minor: UInt32
    var patch: UInt32 = 0

    init(major: UInt32, minor: UInt32) {
        self.major = major
        self.minor = minor
    }

    /// Takes the layout of `VK_MAKE_API_VERSION`: 3 bits variant, 7 major, 10 minor, 12 patch.
    init(_ packed: UInt32) {
        major = packed >> 22 & 0x7f
        minor = packed >> 12 & 0x3ff
        patch = packed & 0xfff
    }

    var packed: UInt32 { major << 22 | minor << 12 | patch }
    var description: String { "\(major).\(minor).\(patch)" }

    static func < (a: APIVersion, b: APIVersion) -> Bool { a.packed < b.packed }
}

/// Calls a Vulkan function of the count-then-fill kind until the list held still between its two calls.
func list<Element>(
    _ call: String,
    _ body: (UnsafeMutablePointer<UInt32>, UnsafeMutablePointer<Element>?) -> VkResult
) throws(InferenceError) -> [Element] {
    while true {
        var count: UInt32 = 0
        try check(body(&count, nil), call, device: "Vulkan")
        if count == 0 { return [] }
        let capacity = Int(count)
        let buffer = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        defer { buffer.deallocate() }
        // SAFETY: Vulkan's structures are plain memory; zeros are valid for each of them, and Vulkan fills `count` of them.
        memset(buffer, 0, capacity * MemoryLayout<Element>.stride)
        let result = body(&count, buffer)
        if result == VK_INCOMPLETE { continue }
        try check(result, call, device: "Vulkan")
        return Array(UnsafeBufferPointer(start: buffer, count: min(capacity, Int(count))))
    }
}

/// Lends `strings` as C strings for one call.
func withCStrings<R>(_ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> R) -> R {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return copies.map { $0.map { UnsafePointer($0) } }.withUnsafeBufferPointer(body)
}
