internal import CVulkan
internal import Inference

/// A timeline semaphore of one queue: a counter that every submission raises by one when it ends.
final class Timeline {
    let handle: VkSemaphore
    /// What the last submission will raise the counter to.
    private(set) var lastSubmitted: UInt64 = 0
    private let device: Device

    fileprivate init(_ device: Device) throws(InferenceError) {
        var created: VkSemaphore?
        var type = VkSemaphoreTypeCreateInfo()
        type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO
        type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE
        let result = withUnsafePointer(to: type) { type in
            var info = VkSemaphoreCreateInfo()
            info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO
            info.pNext = UnsafeRawPointer(type)
            return device.functions.createSemaphore(device.handle, &info, nil, &created)
        }
        try device.check(result, "vkCreateSemaphore")
        guard let created else { throw .deviceUnavailable(detail: "vkCreateSemaphore returned nothing") }
        handle = created
        self.device = device
    }

    deinit {
        if !device.isAbandoned { device.functions.destroySemaphore(device.handle, handle, nil) }
    }

    /// Submits `commands`; they begin when `earlier` has reached its value.
    ///
    /// - Returns: the value that says the submission has ended.
    /// - Throws: `.deviceLost`, `.outOfMemory`; nothing is submitted then.
    func submit(
        _ commands: VkCommandBuffer,
        to queue: VkQueue,
        after earlier: (timeline: Timeline, value: UInt64)? = nil
    ) throws(InferenceError) -> UInt64 {
        let value = lastSubmitted + 1
        // Copies and kernels alike wait: a submission's first command is its first barrier or copy.
        let stages = VkPipelineStageFlags(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT.rawValue)
        let waitCount: UInt32 = earlier == nil ? 0 : 1
        let result = withUnsafePointer(to: earlier?.value ?? 0) { waitValue in
            withUnsafePointer(to: value) { signalValue in
                var values = VkTimelineSemaphoreSubmitInfo()
                values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO
                values.waitSemaphoreValueCount = waitCount
                values.pWaitSemaphoreValues = waitValue
                values.signalSemaphoreValueCount = 1
                values.pSignalSemaphoreValues = signalValue
                return withUnsafePointer(to: values) { values in
                    withUnsafePointer(to: Optional(commands)) { commands in
                        withUnsafePointer(to: earlier?.timeline.handle) { waits in
                            withUnsafePointer(to: Optional(handle)) { signals in
                                withUnsafePointer(to: stages) { stages in
                                    var info = VkSubmitInfo()
                                    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO
                                    info.pNext = UnsafeRawPointer(values)
                                    info.waitSemaphoreCount = waitCount
                                    info.pWaitSemaphores = waits
                                    info.pWaitDstStageMask = stages
                                    info.commandBufferCount = 1
                                    info.pCommandBuffers = commands
                                    info.signalSemaphoreCount = 1
                                    info.pSignalSemaphores = signals
                                    return device.functions.queueSubmit(queue, &info)
                                }
                            }
                        }
                    }
                }
            }
        }
        try device.check(result, "vkQueueSubmit")
        lastSubmitted = value
        return value
    }

    /// Blocks until the counter has reached `value`.
    ///
    /// - Throws: `.deviceLost` when it has not after `seconds`.
    func wait(for value: UInt64, seconds: Double) throws(InferenceError) {
        let result = wait(value, seconds)
        if result == VK_TIMEOUT {
            throw .deviceLost(device: device.name, detail: Hang.detail("a submission", seconds: seconds))
        }
        try device.check(result, "vkWaitSemaphores")
    }

    /// Waits for all that was submitted, so that what it uses may be destroyed; when it does not end, the device is abandoned
    /// and leaks.
    func waitIdle(seconds: Double) {
        guard lastSubmitted > 0, !device.isAbandoned else { return }
        if wait(lastSubmitted, seconds, isTeardown: true) == VK_TIMEOUT { device.isAbandoned = true }
    }

    private func wait(_ value: UInt64, _ seconds: Double, isTeardown: Bool = false) -> VkResult {
        withUnsafePointer(to: Optional(handle)) { handle in
            withUnsafePointer(to: value) { value in
                var info = VkSemaphoreWaitInfo()
                info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO
                info.semaphoreCount = 1
                info.pSemaphores = handle
                info.pValues = value
                return device.functions.waitSemaphores(
                    device.handle,
                    &info,
                    nanoseconds: UInt64(max(0, seconds) * 1e9),
                    isTeardown: isTeardown
                )
            }
        }
    }
}

extension Device {
    func makeTimeline() throws(InferenceError) -> Timeline { try Timeline(self) }
}
