internal import Inference
internal import InferenceVulkan
internal import Wire

/// What backends know, as the socket says it.
extension GraphicsHealth {
    init(_ health: DeviceHealth) {
        self.init(
            state: health.state.rawValue,
            reason: health.reason,
            device: health.device,
            uuid: health.uuid,
            driver: health.driver,
            tier: health.tier,
            tiers: health.tiers.map(GraphicsTier.init),
            losses: health.lossCount,
            hangs: health.hangCount,
            outOfMemory: health.outOfMemoryCount,
            nonFinite: health.nonFiniteCount,
            returns: health.returnCount,
            open: health.openSeconds,
            away: health.awaySeconds,
            cached: health.usedCache
        )
    }
}

extension GraphicsTier {
    init(_ tier: DeviceHealth.Tier) { self.init(name: tier.name, trusted: tier.isTrusted, reason: tier.reason) }
}

extension GraphicsDevice {
    init(_ device: VulkanReport.Device) {
        self.init(
            index: device.index,
            name: device.name,
            uuid: device.uuid,
            vendor: device.vendor,
            driver: device.driver,
            apiVersion: device.apiVersion,
            software: device.isSoftware,
            memory: device.memoryByteCount,
            unusable: device.unusableReason,
            limits: device.limits,
            copyQueue: device.hasCopyQueue,
            chosen: device.isChosen,
            tiers: device.tiers.map(GraphicsTier.init)
        )
    }
}
