internal import CVulkan
package import DeviceReports
internal import Inference

extension VulkanProbe {
    /// How much of a report to make.
    package enum Depth: String, CaseIterable, Sendable {
        /// Every device, no tier.
        case list
        /// The chosen device, down to its best tier.
        case best
        /// Every device, every tier.
        case all
    }

    /// Lists devices and tries tiers, one after the other.
    ///
    /// - Parameters:
    ///   - depth: how far to go.
    ///   - options: which device is meant.
    ///   - without: tiers not to try, by name.
    ///   - emit: gets the report as far as it goes, before each trial and at the end.
    package static func report(
        _ depth: Depth,
        _ options: VulkanOptions,
        without: Set<String>,
        _ emit: (GraphicsReport) -> Void
    ) {
        var report = GraphicsReport()
        do throws(InferenceError) {
            let candidates = try Instance().physicalDevices()
            var chosen: PhysicalDevice?
            do throws(InferenceError) {
                chosen = try choose(
                    from: candidates,
                    designation: options.device,
                    allowsSoftware: options.allowsSoftware
                )
            } catch { report.error = error.detail }
            report.devices = candidates.map { .init($0, isChosen: $0.info.index == chosen?.info.index) }
            for (position, candidate) in candidates.enumerated() {
                let isChosen = report.devices[position].isChosen
                guard candidate.info.unusableReason == nil else { continue }
                guard depth != .list,
                    isChosen || (depth == .all && (options.allowsSoftware || !candidate.info.isSoftware))
                else {
                    continue
                }
                try tryTiers(candidate, depth, options, without, at: position, &report, emit)
            }
        } catch {
            report.error = error.detail
        }
        report.trying = nil
        emit(report)
    }

    private static func tryTiers(
        _ candidate: PhysicalDevice,
        _ depth: Depth,
        _ options: VulkanOptions,
        _ without: Set<String>,
        at position: Int,
        _ report: inout GraphicsReport,
        _ emit: (GraphicsReport) -> Void
    ) throws(InferenceError) {
        let device = try Device(candidate)
        let cache = try device.makePipelineCache(folder: options.cacheFolder)
        let timeouts = SubmissionTimeouts(isSoftware: candidate.info.isSoftware)
        defer { cache.save() }
        for (number, state) in report.devices[position].tiers.enumerated() where state.isTrusted == nil {
            guard let tier = Tier(rawValue: state.name) else { continue }
            if without.contains(state.name) {
                report.devices[position].tiers[number].isTrusted = false
                report.devices[position].tiers[number].reason = "left out"
                continue
            }
            report.trying = state.name
            emit(report)
            do throws(InferenceError) {
                try SelfTest.verify(device, tier: tier, options: options.kernels, timeouts: timeouts, cache: cache)
                report.devices[position].tiers[number].isTrusted = true
                report.devices[position].tiers[number].reason = "passes the self-test"
                if depth == .best { break }
            } catch {
                report.devices[position].tiers[number].isTrusted = false
                report.devices[position].tiers[number].reason = "\(error)"
                if case .deviceLost = error { return }
            }
        }
    }
}

extension GraphicsDevice {
    init(_ physical: PhysicalDevice, isChosen: Bool) {
        let (info, own) = (physical.info, physical.limits)
        self.init(
            index: info.index,
            name: info.name,
            uuid: info.uuid,
            vendor: info.vendor,
            driver: info.driver,
            apiVersion: info.apiVersion,
            isSoftware: info.isSoftware,
            memoryByteCount: info.memoryByteCount,
            unusableReason: info.unusableReason,
            limits: [
                "maxStorageBufferRange": Int(clamping: own.maxStorageBufferRange),
                "maxComputeSharedMemorySize": Int(clamping: own.maxComputeSharedMemorySize),
                "maxComputeWorkGroupInvocations": Int(clamping: own.maxComputeWorkGroupInvocations),
                "minStorageBufferOffsetAlignment": Int(clamping: own.minStorageBufferOffsetAlignment),
            ],
            hasCopyQueue: physical.copyFamily != nil,
            isChosen: isChosen,
            tiers: Tier.allCases.reversed().map { tier in
                let obstacle = physical.obstacle(to: tier)
                return DeviceHealth.Tier(
                    name: tier.rawValue,
                    isTrusted: obstacle == nil ? nil : false,
                    reason: obstacle ?? "not tried"
                )
            }
        )
    }
}

extension InferenceError {
    /// What is at fault, without the words that say what kind of error it is.
    fileprivate var detail: String {
        if case .deviceUnavailable(let detail) = self { return detail }
        return description
    }
}
