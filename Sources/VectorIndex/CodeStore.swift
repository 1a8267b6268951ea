internal import CKernels

/// The codes of all slots under one codec, in chunks of 65,536 that never move.
///
/// The writer thread alone writes, and only rows of slots that no search can meet yet. A new codec means a new store: searches
/// that began with the old one finish with it.
final class CodeStore: @unchecked Sendable {
    // `@unchecked`: a chunk's address and a row's bytes are written before the slot is published (flag byte, pending queue
    // or link, each with release and acquire), and readers stay below the slot count they read before taking the store.
    let codec: VectorCodec
    let chunks: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>
    /// Per slot: length of what its code misses of the vector. Bounds the error of a similarity (Cauchy-Schwarz).
    private let missed: UnsafeMutablePointer<UnsafeMutablePointer<Float>?>
    private let kernels: Kernels
    private var memory: [MappedMemory] = []

    private static let chunkSlots = 1 << CKERNELS_CHUNK_BITS
    private static let chunkLimit = Int(CKERNELS_CHUNK_LIMIT)

    init(codec: VectorCodec, kernels: Kernels) {
        self.codec = codec
        self.kernels = kernels
        chunks = .allocate(capacity: Self.chunkLimit)
        chunks.initialize(repeating: nil, count: Self.chunkLimit)
        missed = .allocate(capacity: Self.chunkLimit)
        missed.initialize(repeating: nil, count: Self.chunkLimit)
    }

    deinit {
        chunks.deallocate()
        missed.deallocate()
    }

    /// Encodes `vector` into the row of `slot`, below 2^28.
    func write(_ vector: UnsafePointer<Float>, to slot: Slot) {
        let chunk = Int(slot.rawValue) / Self.chunkSlots
        let place = Int(slot.rawValue) % Self.chunkSlots
        makeChunk(chunk)
        guard let codes = chunks[chunk], let errors = missed[chunk] else { return }
        let row = codes + place * codec.stride
        let squared = kernels.table.pointee.encode(vector, codec.dimension, codec.step, codec.zero, row)
        for index in codec.dimension..<codec.stride { row[index] = UInt8(codec.zero) }
        errors[place] = squared.squareRoot()
    }

    /// Takes over what `old` has of a slot whose vector cannot be read any more.
    func adopt(_ slot: Slot, from old: CodeStore) {
        guard old.chunks[Int(slot.rawValue) / Self.chunkSlots] != nil else { return }
        let row = old.row(slot)
        write((0..<codec.dimension).map { old.codec.step * Float(Int32(row[$0]) - old.codec.zero) }, to: slot)
        missed[Int(slot.rawValue) / Self.chunkSlots]?[Int(slot.rawValue) % Self.chunkSlots] += old.missed(slot.rawValue)
    }

    /// The code row of a slot that was written.
    func row(_ slot: Slot) -> UnsafePointer<UInt8> {
        let chunk = Int(slot.rawValue) / Self.chunkSlots
        guard let codes = chunks[chunk] else { preconditionFailure("slot \(slot) has no code") }
        return UnsafePointer(codes + Int(slot.rawValue) % Self.chunkSlots * codec.stride)
    }

    func missed(_ slot: UInt32) -> Float {
        missed[Int(slot) / Self.chunkSlots]?[Int(slot) % Self.chunkSlots] ?? 0
    }

    /// Bytes a slot takes.
    var slotByteCount: Int { codec.stride + MemoryLayout<Float>.stride }

    private func makeChunk(_ chunk: Int) {
        guard chunks[chunk] == nil else { return }
        let codeBytes = Self.chunkSlots * codec.stride
        let codes = MappedMemory(byteCount: codeBytes, isGrowing: chunk == 0)
        let errors = MappedMemory(byteCount: Self.chunkSlots * MemoryLayout<Float>.stride, isGrowing: true)
        memory += [codes, errors]
        missed[chunk] = errors.base.bindMemory(to: Float.self, capacity: Self.chunkSlots)
        chunks[chunk] = codes.base.bindMemory(to: UInt8.self, capacity: codeBytes)
    }
}
