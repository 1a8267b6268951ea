/// A file of `torch.save`, as an archive or as a sequence of pickles, that holds a state dict: names and their tensors.
///
/// Opening it reads the pickles and finds every storage's place; numbers are read tensor by tensor, so a classifier that
/// nobody asks for costs nothing.
struct TorchFile: TensorFile {
    let file: String
    private let bytes: WeightBytes
    private let tensors: [String: TorchTensor]
    private let content: TorchContent
    private let soundStorages = SoundStorages()

    /// Storages whose checksums were right; they are read once for that.
    private final class SoundStorages {
        var places: Set<Int> = []
    }

    private static let checksumByteCount = 1 << 20

    var shapes: [String: [Int]] { tensors.mapValues(\.shape) }

    /// Reads everything but the numbers.
    ///
    /// - Throws: `.malformedWeights`, `.unsupportedNetwork` when something else than a state dict was saved.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        file = bytes.file
        self.bytes = bytes
        let isArchive = try bytes.read(0..<min(2, bytes.count)) == Array("PK".utf8)
        content = isArchive ? try TorchContent(archive: bytes) : try TorchContent(sequence: bytes)
        tensors = try content.stateDictionary(file: bytes.file)
        // Tensors may share a storage, but not to make much of little.
        let claimed = tensors.values.reduce(0.0) { $0 + Double($1.count) }
        let held = content.heap.storages.reduce(0.0) { $0 + Double($1.count) }
        guard claimed <= held else {
            throw .malformedWeights(file: file, detail: "tensors of \(claimed) numbers in storages of \(held)")
        }
    }

    func floats(_ name: String) throws(ModelFileError) -> [Float] {
        func fault(_ detail: String) -> ModelFileError {
            .malformedWeights(file: file, detail: "tensor \(printable(name)) \(detail)")
        }
        guard let tensor = tensors[name] else { throw fault("is missing") }
        let element = content.heap.storages[tensor.storage].element
        guard let format = element.format else {
            throw fault("has numbers of type \(element.rawValue), not F64, F32, F16 or BF16")
        }
        guard try isSound(tensor.storage) else { throw fault("does not match its storage's checksum") }
        let start = content.places[tensor.storage].range.lowerBound
        let range = tensor.range.lowerBound * element.byteCount..<tensor.range.upperBound * element.byteCount
        let raw = try bytes.read(start + range.lowerBound..<start + range.upperBound)
        let values = tensor.gather(format.floats(raw, isBigEndian: content.isBigEndian))
        guard values.allSatisfy(\.isFinite) else { throw fault("holds NaN or infinity") }
        return values
    }

    private func isSound(_ storage: Int) throws(ModelFileError) -> Bool {
        let place = content.places[storage]
        guard let expected = place.checksum, !soundStorages.places.contains(storage) else { return true }
        var checksum: UInt32 = 0
        var position = place.range.lowerBound
        while position < place.range.upperBound {
            let end = min(position + Self.checksumByteCount, place.range.upperBound)
            checksum = ZipArchive.checksum(try bytes.read(position..<end), continuing: checksum)
            position = end
        }
        if checksum == expected { soundStorages.places.insert(storage) }
        return checksum == expected
    }
}
