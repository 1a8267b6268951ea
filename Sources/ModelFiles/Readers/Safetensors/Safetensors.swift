internal import Foundation

/// An opened safetensors file: an 8-byte little-endian header length, a JSON object of tensors, then their bytes.
///
/// Strict, because such files come from anywhere: the header must fit the file and 8 MiB, every tensor's range must match
/// its shape and lie in the data, and the ranges must cover the data without hole or overlap, as the format demands.
struct Safetensors: TensorFile {
    /// Number formats that are read; all become fp32.
    enum ElementType: String, Decodable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"

        var format: FloatFormat {
            switch self {
            case .float32: .binary32
            case .float16: .binary16
            case .bfloat16: .bfloat16
            }
        }
    }

    struct Tensor {
        /// As the file writes it; only those of `ElementType` can be read.
        let elementType: String
        let shape: [Int]
        /// Bytes from the start of the data.
        let range: Range<Int>
    }

    let tensors: [String: Tensor]
    /// The free texts under `__metadata__`.
    let metadata: [String: String]
    private let bytes: WeightBytes
    private let dataStart: Int

    private static let headerLimit = 8 << 20

    var file: String { bytes.file }
    var shapes: [String: [Int]] { tensors.mapValues(\.shape) }

    /// Checks a file's header.
    init(_ bytes: WeightBytes) throws(ModelFileError) {
        let file = bytes.file
        guard bytes.count >= 8 else {
            throw .malformedWeights(file: file, detail: "\(bytes.count) bytes hold no header length")
        }
        let prefix = try bytes.read(0..<8)
        let declared = prefix.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard declared <= UInt64(min(Self.headerLimit, bytes.count - 8)) else {
            throw .malformedWeights(file: file, detail: "header of \(declared) bytes in a file of \(bytes.count)")
        }
        let start = 8 + Int(declared)
        let text = try bytes.read(8..<start)
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(text))
        } catch {
            throw .malformedWeights(file: file, detail: "the header is not the expected JSON: \(Self.reason(error))")
        }
        tensors = try Self.check(header.entries, dataByteCount: bytes.count - start, file: file)
        metadata = header.metadata
        self.bytes = bytes
        dataStart = start
    }

    /// Reads a tensor as fp32.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when it is absent, of another number format, or holds NaN or infinity.
    func floats(_ name: String) throws(ModelFileError) -> [Float] {
        guard let tensor = tensors[name] else {
            throw .malformedWeights(file: file, detail: "tensor \(name) is missing")
        }
        guard let type = ElementType(rawValue: tensor.elementType) else {
            throw .malformedWeights(
                file: file,
                detail: "tensor \(name) has numbers of type \(tensor.elementType), not F32, F16 or BF16"
            )
        }
        let place = (dataStart + tensor.range.lowerBound)..<(dataStart + tensor.range.upperBound)
        let bytes = try bytes.read(place)
        let values = type.format.floats(bytes)
        guard values.allSatisfy(\.isFinite) else {
            throw .malformedWeights(file: file, detail: "tensor \(name) holds NaN or infinity")
        }
        return values
    }
}
