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
        case .reference:
            backend = ReferenceBackend(network: network)
            fallback = nil
            reason = "asked for"
        case .cpu:
            backend = try cpu()
            fallback = nil
            reason = "asked for"
        case .vulkan:
            backend = try vulkan(configuration.device)
            fallback = try cpu()
            reason = "asked for"
        case .auto:
            do throws(InferenceError) {
                backend = try vulkan(configuration.device)
                fallback = try cpu()
                reason = "a graphics device that reproduces the fixture"
            } catch {
                backend = try cpu()
                fallback = nil
                reason = "no graphics device: \(error)"
            }
        }
    }
}
