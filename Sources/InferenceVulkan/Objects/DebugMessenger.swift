internal import CVulkan
internal import Inference
internal import Platform

/// What the validation layers had to say, in order.
package final class ValidationLog: Sendable {
    private let lines = Monitor<[String]>([])

    package init() {}

    package var messages: [String] { lines.withLock { $0 } }

    fileprivate func append(_ line: String) { lines.withLockNotifyingAll { $0.append(line) } }
}

/// A `VkDebugUtilsMessengerEXT` that writes warnings and errors into a log.
struct DebugMessenger {
    private let handle: VkDebugUtilsMessengerEXT
    private let instance: VkInstance
    private let destroyMessenger: PFN_vkDestroyDebugUtilsMessengerEXT

    init(_ library: VulkanLibrary, _ instance: VkInstance, _ log: ValidationLog) throws(InferenceError) {
        let create: PFN_vkCreateDebugUtilsMessengerEXT =
            try library.function("vkCreateDebugUtilsMessengerEXT", of: instance)
        destroyMessenger = try library.function("vkDestroyDebugUtilsMessengerEXT", of: instance)
        var info = Self.description(of: log)
        var created: VkDebugUtilsMessengerEXT?
        try check(create(instance, &info, nil, &created), "vkCreateDebugUtilsMessengerEXT", device: "Vulkan")
        guard let created else { throw .deviceUnavailable(detail: "vkCreateDebugUtilsMessengerEXT returned nothing") }
        handle = created
        self.instance = instance
    }

    /// What to report and to whom. Chained to the instance's own description it also covers the instance's making and its end,
    /// when leaked objects come to light and no messenger exists.
    static func description(of log: ValidationLog) -> VkDebugUtilsMessengerCreateInfoEXT {
        var info = VkDebugUtilsMessengerCreateInfoEXT()
        info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT
        info.messageSeverity =
            VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT.rawValue
        info.messageType =
            VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT.rawValue
            | VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT.rawValue
        // SAFETY: `Instance` keeps the log until `vkDestroyInstance` has returned.
        info.pUserData = Unmanaged.passUnretained(log).toOpaque()
        info.pfnUserCallback = { _, _, data, user in
            guard let data, let user else { return 0 }
            let text = data.pointee.pMessage.map { String(cString: $0) } ?? "a message without text"
            Unmanaged<ValidationLog>.fromOpaque(user).takeUnretainedValue().append(text)
            return 0
        }
        return info
    }

    func destroy() { destroyMessenger(instance, handle, nil) }
}
