internal import Inference
internal import Platform

/// A backend that several batch threads take turns with: the processor, when the devices of more than one are away.
final class SharedBackend: ConvolutionBackend {
    private let backend: any ConvolutionBackend
    private let turn = Monitor(())

    init(_ backend: any ConvolutionBackend) { self.backend = backend }

    var description: BackendDescription { backend.description }
    var maximumBatchCount: Int { backend.maximumBatchCount }
    var preferredBatchCount: Int { backend.preferredBatchCount }

    func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        try turn.withLock { _ throws(InferenceError) in
            try backend.run(pixels, count: count, heads: heads, into: &rows, pause: pause)
        }
    }

    /// Without a turn of its own: it is the caller's already, whose batch pauses.
    func runInPause(_ pixels: RawSpan, heads: [Head], into rows: inout MutableSpan<Float>) throws(InferenceError) {
        try backend.runInPause(pixels, heads: heads, into: &rows)
    }
}
