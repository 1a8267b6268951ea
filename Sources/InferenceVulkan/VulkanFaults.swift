internal import CVulkan
internal import Platform

/// Faults that a test or a campaign has a device meet: the k-th call of a kind fails or hangs.
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
        /// The call itself goes through, but for so many seconds no wait sees the device finish anything.
        case hang(seconds: Double)
        /// The vector that is read holds a NaN.
        case nonFinite

        /// The code that takes the place of the driver's; nil where the call goes through.
        var result: VkResult? {
            switch self {
            case .deviceLost: VK_ERROR_DEVICE_LOST
            case .outOfMemory: VK_ERROR_OUT_OF_DEVICE_MEMORY
            case .hang, .nonFinite: nil
            }
        }
    }

    private struct State {
        var counts: [Call: Int] = [:]
        var armed: [Call: [Int: Effect]] = [:]
        var firedCount = 0
        var hangEnd = Instant(nanoseconds: 0)
    }

    private let state = Monitor(State())

    package init() {}

    /// Has the `k`-th call from now on meet `effect`; 1 is the next.
    package func arm(_ call: Call, at k: Int, _ effect: Effect) {
        precondition(k > 0, "call number \(k)")
        state.update { $0.armed[call, default: [:]][$0.counts[call, default: 0] + k] = effect }
    }

    /// Takes back what has not happened yet.
    package func disarm() { state.update { $0.armed = [:] } }

    /// Faults that happened.
    package var firedCount: Int { state.read { $0.firedCount } }

    /// Calls of a kind so far.
    package func count(_ call: Call) -> Int { state.read { $0.counts[call, default: 0] } }

    /// Counts a call in; what is to become of it, nil when it goes through unharmed.
    func next(_ call: Call) -> Effect? {
        state.update { state in
            let number = state.counts[call, default: 0] + 1
            state.counts[call] = number
            guard let effect = state.armed[call]?.removeValue(forKey: number) else { return nil }
            state.firedCount += 1
            if case .hang(let seconds) = effect { state.hangEnd = .now + seconds }
            return effect
        }
    }

    /// Sits out a hang, or as much of it as a wait lasts.
    ///
    /// - Returns: what is left of the wait; 0 when it ended in the hang.
    func waitWhileHanging(nanoseconds: UInt64) -> UInt64 {
        let hang = state.read { $0.hangEnd } - .now
        guard hang > 0 else { return max(1, nanoseconds) }
        let limit = Double(nanoseconds) / 1e9
        sleep(seconds: min(hang, limit))
        return hang >= limit ? 0 : UInt64((limit - hang) * 1e9)
    }
}
