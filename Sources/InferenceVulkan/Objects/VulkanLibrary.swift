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
