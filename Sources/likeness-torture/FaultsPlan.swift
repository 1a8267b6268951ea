import Harness
import InferenceVulkan

/// Which fault comes next, by a seed.
struct FaultsPlan {
    /// Faults asked for so far, by what they are.
    private(set) var counts: [String: Int] = [:]
    private var generator: SeededRandom

    init(seed: UInt64) { generator = SeededRandom(seed: seed) }

    /// - Returns: how many faults were asked for; some come in pairs.
    mutating func arm(_ faults: VulkanFaults) -> Int {
        let before = counts.values.reduce(0, +)
        let kind = Int.random(in: 0..<9, using: &generator)
        // Most often while a batch is in flight.
        let k = Int.random(in: 1...12, using: &generator)
        switch kind {
        case 0, 1: arm(faults, .queueSubmit, k, .deviceLost, "submit: lost")
        case 2: arm(faults, .waitSemaphores, k, .deviceLost, "wait: lost")
        case 3: arm(faults, .queueSubmit, k, .hang, "submit: hang")
        case 4: arm(faults, .queueSubmit, k, .outOfMemory, "submit: out of memory")
        case 5: arm(faults, .waitSemaphores, k, .outOfMemory, "wait: out of memory")
        case 6:
            // The way back meets a second fault.
            let allocation = Int.random(in: 1...3, using: &generator)
            arm(faults, .allocateMemory, allocation, .outOfMemory, "allocate: out of memory")
            arm(faults, .queueSubmit, k, .deviceLost, "submit: lost")
        case 7: arm(faults, .readVector, k, .nonFinite, "vector: not finite")
        default:
            arm(
                faults,
                .createComputePipelines,
                Int.random(in: 1...5, using: &generator),
                .deviceLost,
                "pipeline: lost"
            )
            arm(faults, .waitSemaphores, k, .deviceLost, "wait: lost")
        }
        return counts.values.reduce(0, +) - before
    }

    private mutating func arm(
        _ faults: VulkanFaults,
        _ call: VulkanFaults.Call,
        _ k: Int,
        _ effect: VulkanFaults.Effect,
        _ name: String
    ) {
        faults.arm(call, at: k, effect)
        counts[name, default: 0] += 1
    }
}
