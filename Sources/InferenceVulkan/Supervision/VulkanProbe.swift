package import Inference

/// What Vulkan devices there are, and which one a request means.
package enum VulkanProbe {
    /// All devices of the system, the unusable ones with their reason.
    ///
    /// Loads every installed driver, which takes up to a second on a cold system.
    ///
    /// - Throws: `.deviceUnavailable` when Vulkan itself or any driver is missing: a state, not a fault.
    package static func devices() throws(InferenceError) -> [VulkanDeviceInfo] {
        try Instance().physicalDevices().map(\.info)
    }

    /// Picks the device for a request.
    ///
    /// Without a designation that is the usable device with the most memory, and software only where nothing else is.
    static func choose(
        from candidates: [PhysicalDevice],
        designation: String?,
        allowsSoftware: Bool
    ) throws(InferenceError) -> PhysicalDevice {
        var reasons: [String] = []
        var fit: [PhysicalDevice] = []
        for candidate in candidates where designation.map(candidate.info.answers(to:)) ?? true {
            if let reason = candidate.info.unusableReason {
                reasons.append("\(candidate.info): \(reason)")
            } else if candidate.info.isSoftware && !allowsSoftware {
                reasons.append(
                    "\(candidate.info): a software device, slower than the CPU backend; used only on request"
                )
            } else {
                fit.append(candidate)
            }
        }
        if let best = fit.min(by: { $0.info.isPreferable(to: $1.info) }) { return best }
        if !reasons.isEmpty { throw .deviceUnavailable(detail: reasons.joined(separator: "; ")) }
        guard let designation else { throw .deviceUnavailable(detail: "Vulkan lists no device") }
        let known = candidates.map(\.info.description).joined(separator: ", ")
        throw .deviceUnavailable(detail: "no Vulkan device is called \(designation); there are: \(known)")
    }
}

extension VulkanDeviceInfo {
    fileprivate func isPreferable(to other: VulkanDeviceInfo) -> Bool {
        if isSoftware != other.isSoftware { return !isSoftware }
        if memoryByteCount != other.memoryByteCount { return memoryByteCount > other.memoryByteCount }
        return index < other.index
    }
}
