internal import Foundation
internal import Glibc
internal import Platform

/// An opened safetensors file: an 8-byte little-endian header length, a JSON object of tensors, then their bytes.
///
/// Strict, because such files come from anywhere: the header must fit the file and 8 MiB, every tensor's range must match
/// its shape and lie in the data, and the ranges must cover the data without hole or overlap, as the format demands.
/// Reads with `pread`, so a file that shrinks meanwhile is an error, not a fault.
struct Safetensors: ~Copyable {
    /// Number formats that are read; all become fp32.
    enum ElementType: String, Decodable {
        case float32 = "F32"
        case float16 = "F16"
        case bfloat16 = "BF16"

        var byteCount: Int { self == .float32 ? 4 : 2 }
    }

    struct Tensor {
        /// As the file writes it; only those of `ElementType` can be read.
        let elementType: String
        let shape: [Int]
        /// Bytes from the start of the data.
        let range: Range<Int>
    }

    let file: String
    let tensors: [String: Tensor]
    /// The free texts under `__metadata__`.
    let metadata: [String: String]
    private let descriptor: OwnedDescriptor
    private let dataStart: Int

    private static let headerLimit = 8 << 20

    /// Opens a file and checks its header.
    init(path: String) throws(InferenceError) {
        let opened = try Self.open(path)
        let byteCount = try Self.byteCount(of: opened, path)
        guard byteCount >= 8 else {
            throw .malformedWeights(file: path, detail: "\(byteCount) bytes hold no header length")
        }
        let prefix = try Self.read(opened.rawValue, 0..<8, file: path)
        let declared = prefix.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        guard declared <= UInt64(min(Self.headerLimit, byteCount - 8)) else {
            throw .malformedWeights(file: path, detail: "header of \(declared) bytes in a file of \(byteCount)")
        }
        let start = 8 + Int(declared)
        let text = try Self.read(opened.rawValue, 8..<start, file: path)
        let header: Header
        do {
            header = try JSONDecoder().decode(Header.self, from: Data(text))
        } catch {
            throw .malformedWeights(file: path, detail: "the header is not the expected JSON: \(Self.reason(error))")
        }
        let checked = try Self.check(header.entries, dataByteCount: byteCount - start, file: path)
        file = path
        tensors = checked
        metadata = header.metadata
        descriptor = opened
        dataStart = start
    }

    private static func open(_ path: String) throws(InferenceError) -> OwnedDescriptor {
        // O_NONBLOCK: a named pipe must not hang the open; it is refused by its type next.
        do { return try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK) } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
    }

    /// The size of a regular file.
    private static func byteCount(of file: borrowing OwnedDescriptor, _ path: String) throws(InferenceError) -> Int {
        let number = file.rawValue
        var status = stat()
        do { try retrying("fstat \(path)") { fstat(number, &status) } } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableWeights(file: path, detail: "no regular file")
        }
        return Int(status.st_size)
    }

    /// Reads a tensor as fp32.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when it is absent, of another number format, or holds NaN or infinity.
    func floats(_ name: String) throws(InferenceError) -> [Float] {
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
        let bytes = try Self.read(descriptor.rawValue, place, file: file)
        let values = Self.convert(bytes, type)
        guard values.allSatisfy(\.isFinite) else {
            throw .malformedWeights(file: file, detail: "tensor \(name) holds NaN or infinity")
        }
        return values
    }

    private static func convert(_ bytes: [UInt8], _ type: ElementType) -> [Float] {
        let count = bytes.count / type.byteCount
        return bytes.withUnsafeBytes { raw in
            [Float](unsafeUninitializedCapacity: count) { values, initializedCount in
                for index in 0..<count {
                    let value: Float
                    if type == .float32 {
                        let bits = raw.loadUnaligned(fromByteOffset: 4 &* index, as: UInt32.self)
                        value = Float(bitPattern: UInt32(littleEndian: bits))
                    } else {
                        let bits = UInt16(littleEndian: raw.loadUnaligned(fromByteOffset: 2 &* index, as: UInt16.self))
                        value =
                            type == .bfloat16
                            ? Float(bitPattern: UInt32(bits) << 16) : HalfPrecision.float(bits)
                    }
                    values.initializeElement(at: index, to: value)
                }
                initializedCount = count
            }
        }
    }

    private static func read(_ number: Int32, _ range: Range<Int>, file: String) throws(InferenceError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initializedCount in
            do throws(SystemError) {
                while initializedCount < range.count {
                    let rest = UnsafeMutableBufferPointer(rebasing: buffer[initializedCount..<range.count])
                    let offset = range.lowerBound + initializedCount
                    let got = try retrying("read \(file)") { pread(number, rest.baseAddress, rest.count, offset) }
                    if got == 0 { throw SystemError(code: EIO, operation: "\(file) ends at byte \(offset)") }
                    initializedCount += got
                }
            } catch { failure = error }
        }
        if let failure { throw .unreadableWeights(file: file, detail: failure.description) }
        return bytes
    }
}
