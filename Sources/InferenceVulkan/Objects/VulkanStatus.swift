internal import CVulkan
internal import Inference

/// A Vulkan result code (`VkResult`) that is not success, with the call that returned it.
struct VulkanStatus: Error {
    let result: VkResult
    /// The C function's name.
    let call: String

    /// The code as the specification spells it.
    var name: String {
        switch result {
        case VK_TIMEOUT: "VK_TIMEOUT"
        case VK_NOT_READY: "VK_NOT_READY"
        case VK_INCOMPLETE: "VK_INCOMPLETE"
        case VK_ERROR_OUT_OF_HOST_MEMORY: "VK_ERROR_OUT_OF_HOST_MEMORY"
        case VK_ERROR_OUT_OF_DEVICE_MEMORY: "VK_ERROR_OUT_OF_DEVICE_MEMORY"
        case VK_ERROR_OUT_OF_POOL_MEMORY: "VK_ERROR_OUT_OF_POOL_MEMORY"
        case VK_ERROR_INITIALIZATION_FAILED: "VK_ERROR_INITIALIZATION_FAILED"
        case VK_ERROR_DEVICE_LOST: "VK_ERROR_DEVICE_LOST"
        case VK_ERROR_MEMORY_MAP_FAILED: "VK_ERROR_MEMORY_MAP_FAILED"
        case VK_ERROR_LAYER_NOT_PRESENT: "VK_ERROR_LAYER_NOT_PRESENT"
        case VK_ERROR_EXTENSION_NOT_PRESENT: "VK_ERROR_EXTENSION_NOT_PRESENT"
        case VK_ERROR_FEATURE_NOT_PRESENT: "VK_ERROR_FEATURE_NOT_PRESENT"
        case VK_ERROR_INCOMPATIBLE_DRIVER: "VK_ERROR_INCOMPATIBLE_DRIVER"
        case VK_ERROR_TOO_MANY_OBJECTS: "VK_ERROR_TOO_MANY_OBJECTS"
        default: "VkResult \(result.rawValue)"
        }
    }

    /// What the code means to callers, for the device at fault and, where the call allocates, the bytes asked for (else 0).
    /// The only place that decides it.
    func meaning(device: String, byteCount: Int) -> InferenceError {
        switch result {
        case VK_ERROR_OUT_OF_HOST_MEMORY, VK_ERROR_OUT_OF_DEVICE_MEMORY, VK_ERROR_OUT_OF_POOL_MEMORY,
            VK_ERROR_MEMORY_MAP_FAILED, VK_ERROR_TOO_MANY_OBJECTS:
            .outOfMemory(device: device, byteCount: byteCount)
        case VK_ERROR_DEVICE_LOST, VK_TIMEOUT:
            .deviceLost(device: device, detail: "\(call): \(name)")
        default:
            .deviceUnavailable(detail: "\(device): \(call): \(name)")
        }
    }
}

/// The words for what does not answer, and how to know them again.
enum Hang {
    private static let words = "did not end within"

    static func detail(_ subject: String, seconds: Double) -> String {
        "\(subject) \(words) \((seconds * 1000).rounded() / 1000) s"
    }

    static func isMeant(by error: InferenceError) -> Bool {
        guard case .deviceLost(_, let detail) = error else { return false }
        return detail.contains(words)
    }
}

/// The funnel of all Vulkan calls that can fail.
func check(_ result: VkResult, _ call: String, device: String, byteCount: Int = 0) throws(InferenceError) {
    guard result == VK_SUCCESS else {
        throw VulkanStatus(result: result, call: call).meaning(device: device, byteCount: byteCount)
    }
}
