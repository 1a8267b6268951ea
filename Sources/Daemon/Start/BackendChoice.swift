internal import DeviceReports
internal import Inference
internal import InferenceCPU
internal import InferenceVulkan
internal import Platform

/// Which devices compute, and why those.
struct BackendChoice: Sendable {
    /// At least one; the graphics devices share the bulk queue.
    let backends: [any ConvolutionBackend]
    /// Computes while a graphics device is recovering; nil where the processor computes anyway.
    let fallback: (any ConvolutionBackend)?
    let reason: String

    /// Images a batch at most: enough to keep the sgemm calls long, and memory small.
    private static let cpuBatchCount = 8
    private static let deviceBatchCount = 64
    /// Seconds that the start waits for a graphics device of its own choice; one that takes longer takes over when it
    /// is ready.
    private static let timeout = 0.7
    /// Seconds without work after which a graphics device may be measured.
    private static let idleSeconds = 30.0
    private static let log = Log("daemon")

    /// - Throws: where `vulkan` is asked for and there is no such device. A driver that crashes or hangs is no error:
    ///   the processor computes, and says so.
    init(_ configuration: Configuration, network: Network, stateDirectory: String) throws(InferenceError) {
        func cpu() throws(InferenceError) -> any ConvolutionBackend {
            let threads = configuration.threads ?? WorkerThread.availableCoreCount
            return try CPUBackend(network: network, threads: threads, maximumBatch: Self.cpuBatchCount)
        }
        switch configuration.backend {
        case .reference: self.init([ReferenceBackend(network: network)], reason: "asked for")
        case .cpu: self.init([try cpu()], reason: "asked for")
        case .vulkan, .auto:
            let isDemanded = configuration.backend == .vulkan
            do throws(InferenceError) {
                let devices = try Self.open(configuration, network)
                // The devices are opened while the processor's weights are prepared.
                let fallback = try cpu()
                var reason = "a graphics device that passes the self-test"
                for device in devices {
                    if let fault = try Self.wait(for: device, isDemanded: isDemanded) { reason = fault }
                }
                self.init(devices, fallback: fallback, reason: isDemanded ? "asked for" : reason)
            } catch {
                if isDemanded { throw error }
                self.init([try cpu()], reason: "no graphics device: \(error)")
            }
        }
    }

    private init(
        _ backends: [any ConvolutionBackend],
        fallback: (any ConvolutionBackend)? = nil,
        reason: String
    ) {
        self.backends = backends
        self.fallback = fallback
        self.reason = reason
    }

    /// What the trials of the drivers saw; nil where there was none.
    func knownDevices() -> [GraphicsDevice]? {
        let reports = backends.compactMap { ($0 as? VulkanBackend)?.report }
        guard let last = reports.last else { return nil }
        return last.devices.map { device in
            let chosen = reports.lazy.flatMap(\.devices).first { $0.index == device.index && $0.isChosen }
            return chosen ?? device
        }
    }

    /// Starts opening every device that the settings name.
    private static func open(
        _ configuration: Configuration,
        _ network: Network
    ) throws(InferenceError) -> [VulkanBackend] {
        var backends: [VulkanBackend] = []
        for device in try designations(configuration) {
            var options = VulkanTrial.options(configuration, device: device)
            options.maximumBatch = deviceBatchCount
            options.tuningIdleSeconds = idleSeconds
            options.probe = VulkanTrial.process(.best, configuration, device: device)
            backends.append(try VulkanBackend(opening: network, options: options))
        }
        return backends
    }

    /// One designation a device; nil leaves the choice to the backend.
    private static func designations(_ configuration: Configuration) throws(InferenceError) -> [String?] {
        guard let text = configuration.device else { return [nil] }
        guard text == "all" else {
            let names = text.split(separator: ",").map { $0.trimmingPrefix(while: \.isWhitespace) }
            guard !names.isEmpty else { throw .deviceUnavailable(detail: "'\(text)' names no device") }
            return names.map { String($0) }
        }
        let report = try VulkanTrial.process(.list, configuration, device: nil).run().report
        let usable = report.devices.filter {
            $0.unusableReason == nil && (configuration.allowsSoftwareDevice || !$0.isSoftware)
        }
        guard !usable.isEmpty else { throw .deviceUnavailable(detail: "none of \(report.devices.count) can be used") }
        return usable.map(\.uuid)
    }

    /// Waits for a device as long as the start may.
    ///
    /// - Returns: why it is not ready; nil when it is.
    /// - Throws: where there is no such device.
    private static func wait(for device: VulkanBackend, isDemanded: Bool) throws(InferenceError) -> String? {
        do throws(InferenceError) {
            // Who asks for a device wants to hear that it is not there, however long the drivers take to say so.
            if try device.waitUntilReady(seconds: isDemanded ? nil : timeout) { return nil }
            return "the graphics device is being opened"
        } catch {
            switch error {
            case .deviceLost, .outOfMemory:
                log.error("\(error); the processor computes meanwhile")
                return "\(error)"
            default: throw error
            }
        }
    }
}
