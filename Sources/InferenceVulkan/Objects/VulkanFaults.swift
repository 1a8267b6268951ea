internal import CVulkan
internal import Platform

/// Fault injection for Vulkan devices: the k-th call of a kind fails, hangs or is held.
///
/// Devices ask it before each of those calls, from any thread. The shipped daemon never makes one.
package final class VulkanFaults: Sendable {
    /// Calls that can be made to fail.
    package enum Call: String, CaseIterable, Sendable {
        case allocateMemory = "vkAllocateMemory"
        case createComputePipelines = "vkCreateComputePipelines"
        case queueSubmit = "vkQueueSubmit"
        case waitSemaphores = "vkWaitSemaphores"
        /// No call of Vulkan: one image's vector is taken from the device.
        case readVector = "read a vector"
    }

    /// What becomes of the call.
    package enum Effect: Sendable, Equatable {
        case deviceLost
        case outOfMemory
        /// The call itself goes through, but from then on no semaphore of the device is signalled: each wait ends at once, as if
        /// its timeout had passed. Only the wait before the device's objects are destroyed sees the work end.
        case hang
        /// The same, and that last wait times out too.
        case endlessHang
        /// The call blocks until `release` is called, and goes through then.
        case hold
        /// The vector that is read holds a NaN.
        case nonFinite

        /// The code that takes the place of the driver's; nil where the call goes through.
        var result: VkResult? {
            switch self {
            case .deviceLost: VK_ERROR_DEVICE_LOST
            case .outOfMemory: VK_ERROR_OUT_OF_DEVICE_MEMORY
            case .hang, .endlessHang, .hold, .nonFinite: nil
            }
        }
    }

    /// A kind of call, on one device or on all of them together.
    private struct Site: Hashable {
        let call: Call
        let device: Int?
    }

    private struct State {
        var deviceCount = 0
        var counts: [Site: Int] = [:]
        var armed: [Site: [Int: Effect]] = [:]
        var firedCount = 0
        var heldCount = 0
        var releasedCount = 0
    }

    private let state = Monitor(State())

    package init() {}

    /// Has the `k`-th call from now on meet `effect`; 1 is the next.
    ///
    /// - Parameters:
    ///   - call: which kind of call.
    ///   - k: which one of these, at least 1.
    ///   - device: counts only the calls of this device object, by the order in which they are made, from 1 on; nil: of all.
    ///   - effect: what becomes of the call.
    package func arm(_ call: Call, at k: Int, onDevice device: Int? = nil, _ effect: Effect) {
        precondition(k > 0, "call number \(k)")
        let site = Site(call: call, device: device)
        state.withLockNotifyingAll { $0.armed[site, default: [:]][$0.counts[site, default: 0] + k] = effect }
    }

    /// Takes back what has not happened yet.
    package func disarm() { state.withLockNotifyingAll { $0.armed = [:] } }

    /// Lets every call that is held go on.
    package func release() { state.withLockNotifyingAll { $0.releasedCount = $0.heldCount } }

    /// Faults that happened.
    package var firedCount: Int { state.withLock { $0.firedCount } }

    /// Calls that were held so far, those that went on included.
    package var heldCount: Int { state.withLock { $0.heldCount } }

    /// Device objects made so far.
    package var deviceCount: Int { state.withLock { $0.deviceCount } }

    /// Calls of a kind so far.
    package func count(_ call: Call) -> Int { state.withLock { $0.counts[Site(call: call, device: nil), default: 0] } }

    /// The faults of a device object that is made now.
    func addDevice() -> DeviceFaults {
        let number = state.withLockNotifyingAll { state in
            state.deviceCount += 1
            return state.deviceCount
        }
        return DeviceFaults(self, number: number)
    }

    /// Counts a call in, and holds it where it is to be held.
    ///
    /// - Returns: what is to become of it; nil when it goes through unharmed.
    fileprivate func next(_ call: Call, device: Int) -> Effect? {
        let (effect, held) = state.withLockNotifyingAll { state -> (Effect?, Int) in
            var found: Effect?
            for site in [Site(call: call, device: nil), Site(call: call, device: device)] {
                let number = state.counts[site, default: 0] + 1
                state.counts[site] = number
                if let effect = state.armed[site]?.removeValue(forKey: number) { found = effect }
            }
            if found != nil { state.firedCount += 1 }
            if found == .hold { state.heldCount += 1 }
            return (found, state.heldCount)
        }
        if effect == .hold { _ = state.wait { $0.releasedCount >= held ? true : nil } }
        return effect
    }
}

/// The injected faults of one device object; asked by any thread.
final class DeviceFaults: Sendable {
    private let plan: VulkanFaults
    private let number: Int
    /// `.hang` or `.endlessHang` once the device hangs.
    private let hang = Monitor<VulkanFaults.Effect?>(nil)

    fileprivate init(_ plan: VulkanFaults, number: Int) {
        self.plan = plan
        self.number = number
    }

    /// Counts a call in.
    ///
    /// - Returns: what is to become of it; nil when it goes through unharmed.
    func next(_ call: VulkanFaults.Call) -> VulkanFaults.Effect? {
        let effect = plan.next(call, device: number)
        if effect == .hang || effect == .endlessHang { hang.withLockNotifyingAll { $0 = effect } }
        return effect
    }

    /// Counts a wait in.
    ///
    /// - Parameter isTeardown: whether what was submitted is about to be destroyed. Such a wait is not counted, and only an endless
    ///   hang times it out: a fault that made believe that the work had ended would do harm.
    /// - Returns: the code that takes the place of the driver's; nil where the wait goes through.
    func nextWait(isTeardown: Bool) -> VkResult? {
        if isTeardown { return hang.withLock { $0 == .endlessHang } ? VK_TIMEOUT : nil }
        if let result = next(.waitSemaphores)?.result { return result }
        return hang.withLock { $0 != nil } ? VK_TIMEOUT : nil
    }
}
