internal import Inference
internal import InferenceCPU
internal import InferenceVulkan
internal import Platform

/// Which device computes, and why that one.
struct BackendChoice: Sendable {
    let backend: any ConvolutionBackend
    /// Takes over when the device is lost; nil where the processor computes anyway.
    let fallback: (any ConvolutionBackend)?
    let reason: String

    /// Images a batch at most: enough to keep the sgemm calls long, and memory small.
    private static let cpuBatchCount = 8
    private static let deviceBatchCount = 32

    init(_ configuration: Configuration, network: Network) throws(InferenceError) {
        let threads = configuration.threads ?? WorkerThread.availableCoreCount
        func cpu() throws(InferenceError) -> any ConvolutionBackend {
            try CPUBackend(network: network, threads: threads, maximumBatch: Self.cpuBatchCount)
        }
        func vulkan(_ device: String?) throws(InferenceError) -> any ConvolutionBackend {
            try VulkanBackend(
                network: network,
                device: device,
                allowsSoftware: configuration.allowsSoftwareDevice,
                maximumBatch: Self.deviceBatchCount
            )
        }
        switch configuration.backend {
        case .reference: self.init(ReferenceBackend(network: network), reason: "asked for")
        case .cpu: self.init(try cpu(), reason: "asked for")
        case .vulkan: self.init(try vulkan(configuration.device), fallback: try cpu(), reason: "asked for")
        case .auto:
            let device: any ConvolutionBackend
            do throws(InferenceError) { device = try vulkan(configuration.device) } catch {
                self.init(try cpu(), reason: "no graphics device: \(error)")
                return
            }
            self.init(device, fallback: try cpu(), reason: "a graphics device that reproduces the fixture")
        }
    }

    private init(
        _ backend: any ConvolutionBackend,
        fallback: (any ConvolutionBackend)? = nil,
        reason: String
    ) {
        self.backend = backend
        self.fallback = fallback
        self.reason = reason
    }
}
