package import DeviceReports
package import Inference
internal import Platform

/// The network on a Vulkan device, in the best tier whose self-test the device passes.
///
/// Opening happens on a thread of its own, and so does the way back after a loss: until the device passes the self-test,
/// every call throws `.deviceLost` at once and `isReady` is false. A batch that meets a loss is intact and may be run elsewhere.
package final class VulkanBackend: ConvolutionBackend {
    package let maximumBatchCount: Int
    private let network: Network
    let supervisor: Supervisor

    package var preferredBatchCount: Int { maximumBatchCount }

    /// Starts opening a device and returns.
    ///
    /// - Throws: `.deviceUnavailable` when the system has no thread left.
    package init(opening network: Network, options: VulkanOptions) throws(InferenceError) {
        precondition(options.maximumBatch > 0, "a batch of \(options.maximumBatch) images")
        self.network = network
        maximumBatchCount = options.maximumBatch
        supervisor = Supervisor(network, options)
        do throws(SystemError) { try supervisor.start() } catch { throw .deviceUnavailable(detail: "\(error)") }
    }

    /// Opens a device and waits until it is ready.
    ///
    /// - Throws: `.deviceUnavailable`, `.unsupportedNetwork`, `.outOfMemory`, `.deviceLost`.
    package convenience init(network: Network, options: VulkanOptions) throws(InferenceError) {
        try self.init(opening: network, options: options)
        try waitUntilReady()
    }

    deinit { close() }

    package func close() { supervisor.stop() }

    /// Waits until the device computes.
    ///
    /// - Parameter seconds: how long at most; nil: for ever.
    /// - Returns: whether it does; false when it takes longer.
    /// - Throws: why the first attempt to open it failed.
    @discardableResult
    package func waitUntilReady(seconds: Double? = nil) throws(InferenceError) -> Bool {
        try supervisor.waitUntilReady(seconds: seconds)
    }

    package var isReady: Bool { supervisor.isServing }
    package var health: DeviceHealth? { supervisor.health }

    /// What the last trial in another process saw; nil where there was none.
    package var report: GraphicsReport? { supervisor.report }

    package var description: BackendDescription {
        let health = supervisor.health
        return BackendDescription(
            backend: "vulkan",
            device: health.device.isEmpty ? "a device that is being opened" : health.device,
            tier: health.tier.isEmpty ? "none" : health.tier,
            threads: 1
        )
    }

    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        let contract = BatchContract(network, maximumCount: maximumBatchCount)
        contract.check(pixels, count: count, headCount: heads.count, rows: rows)
        let imageByteCount = contract.imageByteCount
        let engine = try supervisor.beginUse()
        defer { supervisor.endUse() }
        var nonFinite: [Int]
        do throws(InferenceError) {
            do throws(InferenceError) {
                nonFinite = try engine.run(pixels, count: count, heads: heads, into: &rows, pause: pause)
            } catch {
                guard case .outOfMemory = error else { throw error }
                supervisor.noteOutOfMemory(error)
                try engine.halve()
                nonFinite = try engine.run(pixels, count: count, heads: heads, into: &rows, pause: pause)
            }
            let first = nonFinite
            nonFinite = []
            for image in first {
                let bytes = pixels.extracting(image * imageByteCount..<(image + 1) * imageByteCount)
                if try !engine.runLower(bytes, heads: heads, into: &rows, image: image) { nonFinite.append(image) }
            }
            supervisor.noteNonFinite(first.count)
        } catch {
            throw supervisor.noteLoss(of: engine, error)
        }
        guard nonFinite.isEmpty else { throw .nonFinite(images: nonFinite) }
    }

    package func runInPause(
        _ pixels: RawSpan,
        heads: [Head],
        into rows: inout MutableSpan<Float>
    ) throws(InferenceError) {
        let engine = try supervisor.beginUse()
        defer { supervisor.endUse() }
        var isFinite: Bool
        do throws(InferenceError) {
            isFinite = try engine.runOne(pixels, heads: heads, into: &rows)
            if !isFinite {
                supervisor.noteNonFinite(1)
                isFinite = try engine.runLower(pixels, heads: heads, into: &rows, image: 0)
            }
        } catch {
            throw supervisor.noteLoss(of: engine, error)
        }
        guard isFinite else { throw .nonFinite(images: [0]) }
    }
}
