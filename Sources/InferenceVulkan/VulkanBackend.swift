package import Inference

/// The network on a Vulkan device, in one tier.
///
/// Made of a device that reproduced `TrustFixture`. Once a submission hangs or the device is lost, every later call throws
/// `.deviceLost` at once; make a new backend to try again.
package final class VulkanBackend: ConvolutionBackend, @unchecked Sendable {
    // `@unchecked`: one thread at a time calls `run` (the protocol's rule), and nothing else changes after `init`.

    package let description: BackendDescription
    package let maximumBatchCount: Int
    package let preferredBatchCount: Int
    /// The device in use.
    package let device: VulkanDeviceInfo

    private let network: Network
    private let session: ChainSession
    private var loss: InferenceError?

    /// Images of one submission at most: they fill any device, and end before a slow one's driver loses patience.
    private static let submissionImageCount = 32

    /// Opens a device, checks that it computes right, and readies the network on it.
    ///
    /// - Parameters:
    ///   - network: a chain that begins with a convolution of three planes.
    ///   - designation: index, UUID or a part of the name; nil takes the usable device with the most memory.
    ///   - allowsSoftware: whether the processor dressed up as a device will do.
    ///   - tier: which kernels compute.
    ///   - options: how kernels are chosen.
    ///   - maximumBatch: images a call may hold, at least 1. Those too large for one submission are run in pieces.
    ///   - validation: turns the validation layers on and collects what they say; for tests.
    ///   - submissionSeconds: how long a submission may take before the device counts as lost.
    /// - Throws: `.deviceUnavailable`, `.unsupportedNetwork`, `.outOfMemory`, `.deviceLost`.
    package init(
        network: Network,
        device designation: String?,
        allowsSoftware: Bool,
        tier: Tier = .fp32,
        options: ChainOptions = ChainOptions(),
        maximumBatch: Int,
        validation: ValidationLog? = nil,
        submissionSeconds: Double? = nil
    ) throws(InferenceError) {
        precondition(maximumBatch > 0, "a batch of \(maximumBatch) images")
        let instance = try Instance(validation: validation)
        let physical = try VulkanProbe.choose(
            from: try instance.physicalDevices(),
            designation: designation,
            allowsSoftware: allowsSoftware
        )
        // A graphics driver's own watchdog bites within seconds; a processor may honestly need minutes for a batch.
        let seconds = submissionSeconds ?? (physical.info.isSoftware ? 600 : 20)
        if let obstacle = physical.obstacle(to: options.emulatesMatrixUnits ? .fp16 : tier) {
            throw .deviceUnavailable(detail: "\(physical.info) has no tier \(tier.rawValue): \(obstacle)")
        }
        let opened = try Device(physical)
        try TrustFixture.verify(opened, tier: tier, options: options, submissionSeconds: seconds)
        session = try ChainSession(
            opened,
            network,
            tier: tier,
            options: options,
            maximumBatch: min(maximumBatch, Self.submissionImageCount),
            submissionSeconds: seconds
        )

        self.network = network
        device = physical.info
        maximumBatchCount = maximumBatch
        preferredBatchCount = session.maximumImageCount
        description = BackendDescription(backend: "vulkan", device: physical.info.name, tier: tier.rawValue, threads: 1)
    }

    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        let side = network.preprocessing.side
        let imageByteCount = side * side * 3
        let channels = network.outputChannels
        precondition((1...maximumBatchCount).contains(count), "\(count) images of at most \(maximumBatchCount)")
        precondition(pixels.byteCount == count * imageByteCount, "\(pixels.byteCount) bytes for \(count) images")
        precondition(
            rows.count == count * heads.count * channels,
            "\(rows.count) elements for \(count) images, \(heads.count) heads, \(channels) channels"
        )
        if let loss { throw loss }

        var nonFinite: [Int] = []
        do throws(InferenceError) {
            for first in stride(from: 0, to: count, by: session.maximumImageCount) {
                let part = first..<min(count, first + session.maximumImageCount)
                let bytes = pixels.extracting(part.lowerBound * imageByteCount..<part.upperBound * imageByteCount)
                try session.run(bytes, count: part.count) { results, pitch in
                    for image in part {
                        var target = image * heads.count * channels
                        var isFinite = true
                        for head in heads {
                            let source = ((image - first) * Chain.heads.count + head.chainRow) * pitch
                            for channel in 0..<channels {
                                let value = results[source + channel]
                                isFinite = isFinite && value.isFinite
                                rows[target + channel] = value
                            }
                            target += channels
                        }
                        if !isFinite { nonFinite.append(image) }
                    }
                }
            }
        } catch {
            if case .deviceLost = error { loss = error }
            throw error
        }
        guard nonFinite.isEmpty else { throw .nonFinite(images: nonFinite) }
    }
}
