internal import CIndexKernels

/// The codes of all slots under one quantizer, in chunks of 65,536 that never move.
///
/// The writer thread alone writes, and only rows of slots that no search can visit yet. A new quantizer means a new
/// store: searches that began with the old one finish with it.
final class CodeStore: @unchecked Sendable {
    // `@unchecked`: a chunk's address and a row's bytes are written before the slot is published (flag byte, pending
    // queue or link, each with release and acquire), and readers stay below the slot count they read before taking the
    // store.
    let quantizer: ScalarQuantizer
    let chunks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
    private let losses: UnsafeMutablePointer<UnsafeMutablePointer<QuantizationError>?>
    private let kernels: DispatchTable
    private var memory: [MappedMemory] = []
    /// Room for the components of one vector.
    private let components: UnsafeMutablePointer<Float>

    private static let chunkSlots = 1 << CINDEXKERNELS_CHUNK_BITS
    private static let chunkLimit = Int(CINDEXKERNELS_CHUNK_LIMIT)

    init(quantizer: ScalarQuantizer, kernels: DispatchTable) {
        self.quantizer = quantizer
        self.kernels = kernels
        chunks = .allocate(capacity: Self.chunkLimit)
        chunks.initialize(repeating: nil, count: Self.chunkLimit)
        losses = .allocate(capacity: Self.chunkLimit)
        losses.initialize(repeating: nil, count: Self.chunkLimit)
        components = PrincipalComponents.allocate(quantizer.stride)
    }

    deinit {
        chunks.deallocate()
        losses.deallocate()
        components.deallocate()
    }

    /// Encodes `vector` into the row of `slot`, below 2^28.
    func write(_ vector: UnsafePointer<Float>, to slot: Slot) {
        let (row, loss) = place(slot)
        quantizer.components(of: vector, components, kernels)
        let missed = kernels.table.pointee.quantize_f32_u8(
            components,
            quantizer.componentCount,
            quantizer.scale,
            quantizer.zeroPoint,
            row
        )
        pad(row)
        var tail = 0.0
        if quantizer.pca != nil {
            tail = max(
                0,
                Self.squares(vector, quantizer.dimension) - Self.squares(components, quantizer.componentCount)
            )
        }
        loss.pointee = QuantizationError(rounding: missed.squareRoot(), tail: Float(tail.squareRoot()))
    }

    /// Puts a code as it was stored, `quantizer.componentCount` bytes, into the row of `slot`.
    func write(code: UnsafeRawPointer, _ loss: QuantizationError, to slot: Slot) {
        let place = place(slot)
        UnsafeMutableRawPointer(place.row).copyMemory(from: code, byteCount: quantizer.componentCount)
        pad(place.row)
        place.loss.pointee = loss
    }

    /// Takes over what `old` has of a slot whose vector cannot be read any more.
    func adopt(_ slot: Slot, from old: CodeStore) {
        guard old.chunks[Int(slot.rawValue) / Self.chunkSlots] != nil else { return }
        let row = old.row(slot)
        let values = (0..<old.quantizer.componentCount).map {
            old.quantizer.scale * Float(Int32(row[$0]) - old.quantizer.zeroPoint)
        }
        write(old.quantizer.pca?.expand(values) ?? values, to: slot)
        let loss = place(slot).loss
        loss.pointee.rounding += old.quantizationError(slot).rounding
        loss.pointee.tail += old.quantizationError(slot).tail
    }

    /// The code row of a slot that was written.
    func row(_ slot: Slot) -> UnsafePointer<UInt8> {
        let chunk = Int(slot.rawValue) / Self.chunkSlots
        guard let codes = chunks[chunk] else { preconditionFailure("slot \(slot) has no code") }
        return UnsafePointer(codes + Int(slot.rawValue) % Self.chunkSlots * quantizer.stride)
    }

    /// What the code of a slot leaves out.
    func quantizationError(_ slot: Slot) -> QuantizationError {
        losses[Int(slot.rawValue) / Self.chunkSlots]?[Int(slot.rawValue) % Self.chunkSlots] ?? QuantizationError()
    }

    /// Bytes a slot takes.
    var slotByteCount: Int { quantizer.stride + MemoryLayout<QuantizationError>.stride }

    private static func squares(_ values: UnsafePointer<Float>, _ count: Int) -> Double {
        var largest: Float = 0
        var squares = 0.0
        _ = CIndexKernels_measure_f32(values, count, &largest, &squares)
        return squares
    }

    private func pad(_ row: UnsafeMutablePointer<UInt8>) {
        for index in quantizer.componentCount..<quantizer.stride { row[index] = UInt8(quantizer.zeroPoint) }
    }

    private func place(
        _ slot: Slot
    ) -> (row: UnsafeMutablePointer<UInt8>, loss: UnsafeMutablePointer<QuantizationError>) {
        let chunk = Int(slot.rawValue) / Self.chunkSlots
        let place = Int(slot.rawValue) % Self.chunkSlots
        if let codes = chunks[chunk], let losses = losses[chunk] {
            return (codes + place * quantizer.stride, losses + place)
        }
        let codeBytes = Self.chunkSlots * quantizer.stride
        let codes = MappedMemory(byteCount: codeBytes, isGrowing: chunk == 0)
        let losses = MappedMemory(byteCount: Self.chunkSlots * MemoryLayout<QuantizationError>.stride, isGrowing: true)
        memory += [codes, losses]
        let base = codes.base.bindMemory(to: UInt8.self, capacity: codeBytes)
        let lossBase = losses.base.bindMemory(to: QuantizationError.self, capacity: Self.chunkSlots)
        self.losses[chunk] = lossBase
        chunks[chunk] = base
        return (base + place * quantizer.stride, lossBase + place)
    }
}

/// The quantization error of a code: what it leaves out of its vector. It bounds the error of a similarity
/// (Cauchy-Schwarz): a query with a part of length h along the quantizer's principal components and t beside them
/// scores at most `rounding` * h + `tail` * t wrong.
struct QuantizationError: BitwiseCopyable, Hashable {
    /// Length of what rounding lost.
    var rounding: Float = 0
    /// Length of the part beside the quantizer's principal components; 0 without PCA.
    var tail: Float = 0

    func bound(_ query: QueryBuffer) -> Float { rounding * query.headLength + tail * query.tailLength }
}
