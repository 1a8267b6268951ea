internal import DeviceReports
internal import Inference

/// Which tier of a device is used: the best one that it has, that is allowed, and that passes the self-test.
struct TierChoice {
    let tier: Tier
    /// How its kernels are chosen: what was asked for, and what was measured on this device before.
    let options: KernelOptions
    /// Every tier, best first.
    let tiers: [DeviceHealth.Tier]

    /// - Throws: `.deviceUnavailable` with every tier's reason when none is left, `.deviceLost`.
    init(
        _ device: Device,
        _ request: Engine.Request,
        timeouts: SubmissionTimeouts,
        cache: PipelineCache
    ) throws(InferenceError) {
        var chosen: (tier: Tier, options: KernelOptions)?
        var states: [DeviceHealth.Tier] = []
        for tier in Tier.allCases.reversed() {
            func state(_ isTrusted: Bool?, _ reason: String) {
                states.append(DeviceHealth.Tier(name: tier.rawValue, isTrusted: isTrusted, reason: reason))
            }
            if let obstacle = Self.obstacle(to: tier, on: device, request) {
                state(false, obstacle)
            } else if chosen != nil {
                state(nil, "not needed")
            } else {
                do throws(InferenceError) {
                    let options = request.options.kernels.tuned(tier, device, folder: request.options.cacheFolder)
                    try SelfTest.verify(
                        device,
                        for: request.network,
                        tier: tier,
                        options: options,
                        timeouts: timeouts,
                        cache: cache
                    )
                    chosen = (tier, options)
                    state(true, "in use")
                } catch {
                    // A lost device, or one without memory, says nothing about the tier.
                    switch error {
                    case .deviceLost, .outOfMemory: throw error
                    default: state(false, "\(error)")
                    }
                }
            }
        }
        guard let chosen else {
            let reasons = states.map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
            throw .deviceUnavailable(detail: "\(device.physical.info): no tier can be used: \(reasons)")
        }
        (tier, options) = chosen
        tiers = states
    }

    private static func obstacle(to tier: Tier, on device: Device, _ request: Engine.Request) -> String? {
        if let wanted = request.options.tier, wanted != tier { return "tier \(wanted.rawValue) was asked for" }
        let isEmulated = tier >= .cooperative && request.options.kernels.emulatesMatrixUnits
        if let obstacle = device.physical.obstacle(to: isEmulated ? .fp16 : tier) { return obstacle }
        if let reason = request.failedTiers[tier] { return reason }
        return tier > request.ceiling ? "the device was lost too often with it" : nil
    }
}
