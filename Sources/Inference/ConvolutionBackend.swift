package import DeviceReports

/// What computes, in words for status pages and logs.
package struct BackendDescription: Codable, Hashable, Sendable {
    /// `reference`, `cpu` or `vulkan`.
    package var backend: String
    /// The processor or graphics device, with the instruction set in use.
    package var device: String
    /// Numeric tier, such as `fp32`.
    package var tier: String
    package var threads: Int

    package init(backend: String, device: String, tier: String, threads: Int) {
        self.backend = backend
        self.device = device
        self.tier = tier
        self.threads = threads
    }
}

/// Images in, vectors out: one network on one device, opened and ready.
///
/// `run` blocks and is called by one thread at a time (the batch thread); implementations need no lock.
package protocol ConvolutionBackend: AnyObject, Sendable {
    var description: BackendDescription { get }
    /// Images a call may hold at most.
    var maximumBatchCount: Int { get }
    /// Images a call that is worth waiting for holds.
    var preferredBatchCount: Int { get }
    /// Whether a call is worth making now. False while a device is opened or recovers; may change at any time.
    var isReady: Bool { get }
    /// How its device fares; nil where nothing can befall it. May be asked by any thread.
    var health: DeviceHealth? { get }

    /// Computes the L2-normalised heads of a batch.
    ///
    /// A backend whose batches take long calls `pause` between blocks of work, on the same thread, where it can compute a
    /// single image meanwhile: `pause` may call `runInPause` any number of times.
    ///
    /// - Parameters:
    ///   - pixels: `[count, side, side, 3]` uint8 RGB, as the decoder wrote them.
    ///   - count: images, in `1...maximumBatchCount`.
    ///   - heads: which summaries, at least one.
    ///   - rows: `[count, heads.count, outputChannels]` fp32, overwritten.
    ///   - pause: nil when nothing may come between.
    /// - Throws: `InferenceError.deviceLost`, `.outOfMemory`, `.nonFinite`. The batch is intact and may be run elsewhere.
    ///   After `.nonFinite` the rows of all images that it does not name are right.
    func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError)

    /// Computes one image while a batch of the same backend pauses, in memory of its own.
    ///
    /// - Throws: as `run`.
    func runInPause(_ pixels: RawSpan, heads: [Head], into rows: inout MutableSpan<Float>) throws(InferenceError)

    /// Ends threads of its own and gives its device up; nothing is computed afterwards. A process must not end while a driver
    /// is at work.
    func close()
}

extension ConvolutionBackend {
    package var isReady: Bool { true }
    package var health: DeviceHealth? { nil }
    package func close() {}

    /// Computes a batch without pauses.
    package func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>
    ) throws(InferenceError) {
        try run(pixels, count: count, heads: heads, into: &rows, pause: nil)
    }

    /// For backends that never pause.
    package func runInPause(
        _ pixels: RawSpan,
        heads: [Head],
        into rows: inout MutableSpan<Float>
    ) throws(InferenceError) {
        try run(pixels, count: 1, heads: heads, into: &rows, pause: nil)
    }
}

/// What a call of `ConvolutionBackend.run` must satisfy, the same for every backend. A caller that breaks it has a bug.
package struct BatchContract: Sendable {
    /// Images a call may hold at most.
    package let maximumCount: Int
    /// Bytes of an image: `[side, side, 3]`.
    package let imageByteCount: Int
    /// Values of one head of one image.
    package let outputChannels: Int

    package init(_ network: Network, maximumCount: Int) {
        precondition(maximumCount > 0, "a batch of \(maximumCount) images")
        self.maximumCount = maximumCount
        imageByteCount = network.preprocessing.side * network.preprocessing.side * 3
        outputChannels = network.outputChannels
    }

    /// Traps with the numbers unless pixels and rows have the sizes that `count` images and `headCount` heads need.
    package func check(_ pixels: RawSpan, count: Int, headCount: Int, rows: borrowing MutableSpan<Float>) {
        precondition((1...maximumCount).contains(count), "\(count) images of at most \(maximumCount)")
        precondition(pixels.byteCount == count * imageByteCount, "\(pixels.byteCount) bytes for \(count) images")
        precondition(
            rows.count == count * headCount * outputChannels,
            "\(rows.count) values for \(count) images, \(headCount) heads, \(outputChannels) channels"
        )
    }
}
