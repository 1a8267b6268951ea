internal import Foundation
package import Inference
internal import Platform

/// Convolutions on the processor in fp32: transforms and products in C, threads of its own. `README.md` beside this tells how.
///
/// All memory is planned at the start (`memoryByteCount` tells how much); a batch allocates no buffer.
package final class CPUBackend: ConvolutionBackend {
    static let name = "cpu"

    package let description: BackendDescription
    package var maximumBatchCount: Int { contract.maximumCount }
    package var preferredBatchCount: Int { maximumBatchCount }
    /// Bytes of maps and scratch memory; the transformed weights, four times the file's, come on top.
    package var memoryByteCount: Int { bulk.byteCount + (bulk === single ? 0 : single.byteCount) }

    private let contract: BatchContract
    private let plan: ExecutionPlan
    private let bulk: Workspace
    /// For one image while a batch pauses.
    private let single: Workspace

    /// Of OpenBLAS.
    package static var libraryVersion: String { Kernels.blasVersion }

    /// Transforms the weights and plans the memory.
    ///
    /// - Parameters:
    ///   - network: begins with a convolution of three channels.
    ///   - threads: all of the process's cores when nil.
    ///   - maximumBatch: images a call may hold; VGG16 needs about 14 MB of memory for each.
    /// - Throws: `.outOfMemory`, `.unsupportedLayer`, `.unsupportedNetwork`, `.deviceUnavailable` when no thread can be started.
    package convenience init(
        network: Network,
        threads: Int? = nil,
        maximumBatch: Int = 8
    ) throws(InferenceError) {
        try self.init(network: network, threads: threads, maximumBatch: maximumBatch, kernels: Kernels())
    }

    init(network: Network, threads: Int?, maximumBatch: Int, kernels: Kernels) throws(InferenceError) {
        contract = BatchContract(network, maximumCount: maximumBatch)
        let threadCount = max(1, threads ?? WorkerThread.availableCoreCount)
        Kernels.useOneThreadPerProduct()
        plan = try ExecutionPlan(
            network,
            team: Self.team(threadCount),
            kernels: kernels
        )
        bulk = try plan.workspace(maximumBatch: maximumBatch)
        single = maximumBatch == 1 ? bulk : try plan.workspace(maximumBatch: 1)
        description = BackendDescription(
            backend: Self.name,
            device: "\(Self.processorName), \(kernels.name)",
            tier: "fp32",
            threads: threadCount
        )
    }

    private static func team(_ count: Int) throws(InferenceError) -> ThreadTeam {
        do { return try ThreadTeam(count: count) } catch {
            throw .deviceUnavailable(detail: error.description)
        }
    }

    /// What the kernel calls the processor.
    private static var processorName: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":", maxSplits: 1).last?.trimmingCharacters(in: .whitespaces)
        return name ?? "processor"
    }

    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        contract.check(pixels, count: count, headCount: heads.count, rows: rows)
        // A batch of one needs no pause: it is as short as what would come between.
        let workspace = count == 1 ? single : bulk
        try run(pixels, count: count, heads: heads, into: &rows, in: workspace, pause: count == 1 ? nil : pause)
    }

    package func runInPause(
        _ pixels: RawSpan,
        heads: [Head],
        into rows: inout MutableSpan<Float>
    ) throws(InferenceError) {
        contract.check(pixels, count: 1, headCount: heads.count, rows: rows)
        try run(pixels, count: 1, heads: heads, into: &rows, in: single, pause: nil)
    }

    /// Computes a batch once and tells where the time went.
    package func layerTimes(_ pixels: RawSpan, count: Int) -> [LayerTime] {
        let timing = StepTiming()
        pixels.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            // SAFETY: `plan.run` returns when all threads are done with the pixels.
            _ = plan.run(base.assumingMemoryBound(to: UInt8.self), count: count, in: bulk, timing: timing)
        }
        return timing.layers
    }

    /// The last maps of a batch, `[count, height, width, channels]`, for comparison with other programs.
    package func lastMaps(_ pixels: RawSpan, count: Int) -> [Float] {
        pixels.withUnsafeBytes { bytes -> [Float] in
            guard let base = bytes.baseAddress else { return [] }
            // SAFETY: `plan.run` returns when all threads are done with the pixels.
            let maps = plan.run(base.assumingMemoryBound(to: UInt8.self), count: count, in: bulk)
            let positions = count * plan.output.height * plan.output.width
            return (0..<positions).flatMap { position in
                UnsafeBufferPointer(start: maps.base + position * plan.output.channels, count: contract.outputChannels)
            }
        }
    }

    private func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        in workspace: Workspace,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        let outputChannels = contract.outputChannels
        let maps = pixels.withUnsafeBytes { bytes -> BufferSlice? in
            guard let base = bytes.baseAddress else { return nil }
            // SAFETY: `plan.run` returns when all threads are done with the pixels.
            return plan.run(base.assumingMemoryBound(to: UInt8.self), count: count, in: workspace, pause: pause)
        }
        guard let maps else { return }
        var nonFinite: [Int] = []
        for image in 0..<count {
            let map = FeatureMap(
                base: maps.base + image * plan.output.count,
                channels: outputChannels,
                height: plan.output.height,
                width: plan.output.width,
                channelStride: 1,
                positionStride: plan.output.channels
            )
            let isFinite = map.reduce(heads, into: &rows, at: image * heads.count * outputChannels)
            if !isFinite { nonFinite.append(image) }
        }
        if !nonFinite.isEmpty { throw .nonFinite(images: nonFinite) }
    }
}
