internal import CVulkan
internal import Inference

/// A `VkFence` for one submission at a time.
final class Fence {
    private let handle: VkFence
    private let device: Device
    /// A submission has not been seen to end.
    private var isPending = false

    fileprivate init(_ device: Device) throws(InferenceError) {
        var info = VkFenceCreateInfo()
        info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO
        var created: VkFence?
        try device.check(device.functions.createFence(device.handle, &info, nil, &created), "vkCreateFence")
        guard let created else { throw .deviceUnavailable(detail: "vkCreateFence returned nothing") }
        handle = created
        self.device = device
    }

    deinit {
        if !device.isAbandoned { device.functions.destroyFence(device.handle, handle, nil) }
    }

    /// Submits and blocks until the device is done.
    ///
    /// - Throws: `.deviceLost` when it is not done after `seconds`; `settle` must follow before anything is destroyed.
    func run(_ commands: VkCommandBuffer, seconds: Double) throws(InferenceError) {
        let functions = device.functions
        try device.check(
            withUnsafePointer(to: Optional(handle)) {
                functions.resetFences(device.handle, 1, $0)
            },
            "vkResetFences"
        )
        let result = withUnsafePointer(to: Optional(commands)) { commands in
            var submission = VkSubmitInfo()
            submission.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
            submission.commandBufferCount = 1
            submission.pCommandBuffers = commands
            return functions.queueSubmit(device.queue, 1, &submission, handle)
        }
        try device.check(result, "vkQueueSubmit")
        isPending = true
        let ended = wait(seconds: seconds)
        if ended == VK_TIMEOUT {
            throw .deviceLost(device: device.name, detail: "a submission did not end within \(seconds) s")
        }
        isPending = false
        try device.check(ended, "vkWaitForFences")
    }

    /// Gives a hanging submission a last chance; when it still hangs, the device is abandoned and leaks.
    func settle(seconds: Double) {
        guard isPending else { return }
        if wait(seconds: seconds) == VK_TIMEOUT { device.isAbandoned = true }
        isPending = false
    }

    private func wait(seconds: Double) -> VkResult {
        withUnsafePointer(to: Optional(handle)) {
            device.functions.waitForFences(device.handle, 1, $0, 1, UInt64(seconds * 1e9))
        }
    }
}

extension Device {
    func makeFence() throws(InferenceError) -> Fence { try Fence(self) }
}
