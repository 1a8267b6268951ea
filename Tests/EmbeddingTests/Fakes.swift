import Embedding
import Imaging
import Inference
import Platform

/// A network of which only sizes are asked.
func makeNetwork(side: Int = 8, dimension: Int = 3, whitening: HeadWhitening? = nil) throws -> Network {
    var preprocessing = Preprocessing.keras
    preprocessing.side = side
    return Network(
        name: "fake",
        layers: [.convolution(.init(index: 0, inputChannels: 3, outputChannels: dimension))],
        preprocessing: preprocessing,
        weightsDigest: SHA256Digest(of: []),
        whitening: whitening,
        storage: MemoryWeights()
    )
}

/// Files of two bytes: a gray value and how it fails. Anything shorter is empty.
struct GrayDecoder: ImageDecoder {
    let gate: Gate?

    init(gate: Gate? = nil) { self.gate = gate }

    func decode(
        _ encoded: [UInt8],
        fit: Fit,
        into pixels: inout MutableSpan<UInt8>
    ) throws(ImagingError) -> ImageProperties {
        gate?.pass()
        guard let value = encoded.first else { throw ImagingError(.empty, "0 bytes") }
        if encoded.count > 1, encoded[1] == 1 { throw ImagingError(.corrupt, "marked") }
        for index in pixels.indices { pixels[index] = value }
        return ImageProperties(format: .png, width: UInt32(value), height: 1)
    }

    func thumbnail(_ encoded: [UInt8], longSide: Int) throws(ImagingError) -> [UInt8] { encoded }
}

/// A door that a test opens and closes; whoever comes while it is closed waits.
final class Gate: Sendable {
    private let state: Monitor<(isOpen: Bool, waitingCount: Int)>

    init(isOpen: Bool) { state = Monitor((isOpen, 0)) }

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() { state.withLockNotifyingAll { $0.isOpen = true } }

    func pass() {
        state.withLockNotifyingAll { $0.waitingCount += 1 }
        _ = state.wait { $0.isOpen ? true : nil }
        state.withLockNotifyingAll { $0.waitingCount -= 1 }
    }

    /// Waits until that many stand before the door.
    func waitForArrivals(_ count: Int) -> Bool {
        state.wait(until: .now + 60) { $0.waitingCount >= count ? true : nil } ?? false
    }
}

/// Every component of the vector is the image's first byte. Gray 250 and above fails as its name says.
final class GrayBackend: ConvolutionBackend {
    static let nonFinite: UInt8 = 250
    static let outOfMemory: UInt8 = 251
    static let deviceLost: UInt8 = 252

    let description: BackendDescription
    let maximumBatchCount: Int
    let preferredBatchCount: Int
    private let failsAtAll: Bool
    private let gate: Gate?
    private let runs = Monitor<[[UInt8]]>([])
    private let running = Monitor(0)
    private let ready: Monitor<Bool>

    init(
        _ name: String = "fake",
        batch: Int = 4,
        maximum: Int? = nil,
        gate: Gate? = nil,
        failsAtAll: Bool = true,
        isReady: Bool = true
    ) {
        ready = Monitor(isReady)
        description = BackendDescription(backend: name, device: "test", tier: "fp32", threads: 1)
        maximumBatchCount = maximum ?? batch
        preferredBatchCount = batch
        self.gate = gate
        self.failsAtAll = failsAtAll
    }

    /// False from the loss of the device until it returns.
    var isReady: Bool { ready.withLock { $0 } }

    /// Brings the device back.
    func returnDevice() { ready.withLockNotifyingAll { $0 = true } }

    /// First bytes of every batch that was asked for, in order.
    var batches: [[UInt8]] { runs.withLock { $0 } }

    func run(
        _ pixels: RawSpan,
        count: Int,
        heads: [Head],
        into rows: inout MutableSpan<Float>,
        pause: (() -> Void)?
    ) throws(InferenceError) {
        precondition((1...maximumBatchCount).contains(count), "\(count) images")
        precondition(
            running.withLockNotifyingAll {
                $0 += 1; return $0
            } == 1,
            "two threads in one backend"
        )
        defer { running.withLockNotifyingAll { $0 -= 1 } }
        let imageByteCount = pixels.byteCount / count
        let values = (0..<count).map { pixels.unsafeLoad(fromByteOffset: $0 * imageByteCount, as: UInt8.self) }
        runs.withLockNotifyingAll { $0.append(values) }
        gate?.pass()
        if failsAtAll {
            if values.contains(Self.deviceLost) {
                ready.withLockNotifyingAll { $0 = false }
                throw .deviceLost(device: "test", detail: "told to")
            }
            if values.contains(Self.outOfMemory) { throw .outOfMemory(device: "test", byteCount: 1) }
        }
        let width = rows.count / count
        for index in rows.indices {
            let value = values[index / width]
            rows[index] = failsAtAll && value == Self.nonFinite ? .nan : Float(value)
        }
    }
}

/// Collects the ends of submitted images.
final class Outcomes: Sendable {
    private let results = Monitor<[Int: [Result<EmbeddedImage, EmbeddingError>]]>([:])

    func completion(_ index: Int) -> @Sendable (Result<EmbeddedImage, EmbeddingError>) -> Void {
        { result in self.results.withLockNotifyingAll { $0[index, default: []].append(result) } }
    }

    /// Waits until that many images have ended; nil when they do not within ten seconds.
    func wait(_ count: Int) -> [Int: Result<EmbeddedImage, EmbeddingError>]? {
        let all = results.wait(until: .now + 60) { $0.count >= count ? $0 : nil }
        // More than one end is a fault that must not go unseen.
        guard let all, all.values.allSatisfy({ $0.count == 1 }) else { return nil }
        return all.compactMapValues(\.first)
    }

    var count: Int { results.withLock { $0.count } }
}

extension Result<EmbeddedImage, EmbeddingError> {
    /// The gray value of a success, else nil.
    var gray: Float? { try? get().vector.first }

    var isStopped: Bool { if case .failure(.stopped) = self { true } else { false } }
}
