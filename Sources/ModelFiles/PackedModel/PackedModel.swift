internal import Foundation
internal import Inference
internal import LinearAlgebra
internal import Platform

/// A packed model file: description and weights of one model, aligned so that it is used where it is mapped. The target's
/// `README.md` specifies it byte by byte.
enum PackedModel {
    static let magic = Array("LIKEPACK".utf8)
    /// Of packed model files without a whitening, and of those with one.
    static func version(_ description: ModelDescription) -> UInt32 { description.whitening == nil ? 1 : 2 }
    static let prefixByteCount = 128
    /// Tensors start at multiples of this.
    static let alignment = 64
    private static let descriptionLimit = 1 << 20

    /// What stands before the tensors.
    struct Header {
        var description: ModelDescription
        var weightsDigest: SHA256Digest
        var dataStart: Int
    }

    /// Where convolution `index`'s weight and bias and the whitening lie, in bytes from the file's start, and where the file ends.
    struct Layout {
        private(set) var weights: [Range<Int>] = []
        private(set) var biases: [Range<Int>] = []
        /// Mean and matrix; nil where there is no whitening.
        private(set) var whitening: (mean: Range<Int>, matrix: Range<Int>)?
        private(set) var byteCount: Int

        init(_ description: ModelDescription, dataStart: Int) {
            let architecture = description.architecture
            var end = dataStart
            func place(_ count: Int) -> Range<Int> {
                let start = PackedModel.aligned(end)
                end = start + 4 * count
                return start..<end
            }
            for convolution in architecture.layers.convolutions {
                weights.append(place(convolution.weightCount))
                biases.append(place(convolution.outputChannels))
            }
            if description.whitening != nil {
                let dimension = architecture.layers.outputChannels
                whitening = (place(dimension), place(dimension * dimension))
            }
            byteCount = PackedModel.aligned(end)
        }
    }

    static func aligned(_ offset: Int) -> Int { (offset + alignment - 1) / alignment * alignment }

    /// Writes a packed model file durably; see `DurableFile.replace`.
    static func write(
        _ path: String,
        description: ModelDescription,
        weightsDigest: SHA256Digest,
        whitening: HeadWhitening? = nil,
        storage: any WeightStorage
    ) throws(ModelFileError) {
        precondition(description.whitening == whitening?.description, "a description of another whitening")
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text: [UInt8]
        do { text = [UInt8](try encoder.encode(description)) } catch {
            throw .malformedWeights(file: path, detail: "its description cannot be written: \(error)")
        }
        var head = prefix(text, weightsDigest, version(description))
        head.append(contentsOf: text)
        head.append(contentsOf: repeatElement(0, count: aligned(head.count) - head.count))
        let layout = Layout(description, dataStart: head.count)
        do {
            try DurableFile.replace(path) { append in
                var end = 0
                func place(_ bytes: RawSpan, at start: Int) throws {
                    try append([UInt8](repeating: 0, count: start - end).span.bytes)
                    try append(bytes)
                    end = start + bytes.byteCount
                }
                try place(head.span.bytes, at: 0)
                for index in layout.weights.indices {
                    try storage.withWeight(index) { try place($0.bytes, at: layout.weights[index].lowerBound) }
                    try storage.withBias(index) { try place($0.bytes, at: layout.biases[index].lowerBound) }
                }
                if let whitening = whitening?.whitening, let places = layout.whitening {
                    try place(whitening.mean.span.bytes, at: places.mean.lowerBound)
                    try place(whitening.matrix.span.bytes, at: places.matrix.lowerBound)
                }
                try append([UInt8](repeating: 0, count: layout.byteCount - end).span.bytes)
            }
        } catch {
            throw .unwritable(file: path, detail: "\(error)")
        }
    }

    /// Reads and checks everything before the tensors.
    static func header(_ bytes: UnsafeRawBufferPointer, file: String) throws(ModelFileError) -> Header {
        func fault(_ detail: String) -> ModelFileError { .malformedWeights(file: file, detail: detail) }
        guard bytes.count >= prefixByteCount, bytes.prefix(8).elementsEqual(magic) else {
            throw fault("it does not begin as a packed model file")
        }
        let foundVersion = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        guard 1...2 ~= foundVersion else {
            throw fault("packed model version \(foundVersion), this program reads 1 and 2")
        }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 12, as: UInt32.self)))
        guard length <= descriptionLimit, prefixByteCount + length <= bytes.count else {
            throw fault("a description of \(length) bytes does not fit")
        }
        let text = Array(bytes[prefixByteCount..<prefixByteCount + length])
        guard let weightsDigest = SHA256Digest(bytes: Array(bytes[16..<48])),
            prefix(text, weightsDigest, foundVersion).elementsEqual(bytes[..<prefixByteCount])
        else { throw fault("the header does not match its digest") }
        let description: ModelDescription
        do { description = try JSONDecoder().decode(ModelDescription.self, from: Data(text)) } catch {
            throw fault("its description is unreadable: \(error)")
        }
        if let problem = description.problem { throw fault(problem) }
        let dataStart = aligned(prefixByteCount + length)
        guard foundVersion == version(description) else {
            throw fault("version \(foundVersion) does not fit its description")
        }
        let layout = Layout(description, dataStart: dataStart)
        guard layout.byteCount == bytes.count else {
            throw fault("\(bytes.count) bytes, expected \(layout.byteCount)")
        }
        return Header(description: description, weightsDigest: weightsDigest, dataStart: dataStart)
    }

    /// The first 128 bytes, ending with a digest of the 48 before it and the description.
    private static func prefix(_ text: [UInt8], _ weightsDigest: SHA256Digest, _ version: UInt32) -> [UInt8] {
        var bytes = magic
        for value in [version, UInt32(text.count)] {
            withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: weightsDigest.bytes)
        bytes.append(contentsOf: SHA256Digest(of: bytes + text).bytes)
        bytes.append(contentsOf: repeatElement(0, count: prefixByteCount - bytes.count))
        return bytes
    }
}

/// The tensors of a mapped packed model file.
final class PackedModelWeights: WeightStorage {
    private let map: MappedFile
    private let layout: PackedModel.Layout

    init(_ map: MappedFile, _ layout: PackedModel.Layout) {
        self.map = map
        self.layout = layout
    }

    func withWeight<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: floats(layout.weights[index])))
    }

    func withBias<R>(_ index: Int, _ body: (Span<Float>) throws -> R) rethrows -> R {
        try body(Span(_unsafeElements: floats(layout.biases[index])))
    }

    /// - Returns: nil where the packed model file has none, or its numbers are not finite.
    func whitening(_ description: HeadWhitening.Description?) -> HeadWhitening? {
        guard let description, let places = layout.whitening else { return nil }
        let whitening = Whitening(
            mean: Array(floats(places.mean)),
            matrix: Array(floats(places.matrix)),
            sampleCount: description.sampleCount
        )
        return whitening.map { HeadWhitening(head: description.head, whitening: $0) }
    }

    /// SAFETY: the range was computed for a file of exactly this size, starts at a multiple of 64 of a page-aligned map, and
    /// `map` outlives the scoped access because `self` does.
    private func floats(_ range: Range<Int>) -> UnsafeBufferPointer<Float> {
        UnsafeRawBufferPointer(rebasing: map.bytes[range]).assumingMemoryBound(to: Float.self)
    }
}
