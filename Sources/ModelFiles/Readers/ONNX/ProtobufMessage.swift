/// One field of a protocol buffer message: its number and its value or place.
struct ProtobufField {
    enum Value {
        case varint(UInt64)
        case fixed32(UInt32)
        case fixed64(UInt64)
        /// Text, packed numbers or a message, by its place in the file.
        case bytes(Range<Int>)
    }

    let number: Int
    let value: Value
}

/// The fields of one message in a file, in order, read one at a time.
///
/// The encoding is that of protobuf.dev/programming-guides/encoding: a tag (field number times 8 plus the wire type), then
/// a varint (0), 8 bytes (1), a length and that many bytes (2) or 4 bytes (5), little-endian. Groups (3 and 4), which ONNX
/// does not use, are refused. Nothing recurses: a field that is a message is opened by `message`, or skipped unread.
struct ProtobufMessage {
    let blocks: FileBlocks
    /// Where the message lies, within the file.
    let range: Range<Int>
    /// For errors, such as `the graph` or `node 3`.
    let label: String
    private var position: Int

    private static let textLimit = 4096

    init(_ blocks: FileBlocks, _ range: Range<Int>, label: String) {
        self.blocks = blocks
        self.range = range
        self.label = label
        position = range.lowerBound
    }

    /// The next field, or nil at the end.
    ///
    /// - Throws: `.malformedWeights` with the position when the field is not well formed or does not fit the message.
    mutating func next() throws(ModelFileError) -> ProtobufField? {
        guard position < range.upperBound else { return nil }
        let start = position
        let tag = try varint()
        guard (8...UInt64(UInt32.max)).contains(tag) else { throw malformed("has the impossible tag \(tag)", start) }
        let value: ProtobufField.Value
        switch tag & 7 {
        case 0: value = .varint(try varint())
        case 1: value = .fixed64(try fixed(8))
        case 2:
            let length = try varint()
            guard length <= UInt64(range.upperBound - position) else {
                throw malformed("has a field of \(length) bytes, \(range.upperBound - position) are left", start)
            }
            let end = position + Int(length)
            value = .bytes(position..<end)
            position = end
        case 5: value = .fixed32(UInt32(truncatingIfNeeded: try fixed(4)))
        default: throw malformed("has a field of wire type \(tag & 7)", start)
        }
        return ProtobufField(number: Int(tag >> 3), value: value)
    }

    /// The next of numbers that stand without tags, as in a packed field, or nil at the end.
    mutating func nextPackedVarint() throws(ModelFileError) -> UInt64? {
        position < range.upperBound ? try varint() : nil
    }

    /// An error of this message, with the byte it is about.
    func malformed(_ detail: String, _ position: Int? = nil) -> ModelFileError {
        .malformedWeights(
            file: blocks.file,
            detail: position.map { "as an ONNX model, \(label) \(detail) at byte \($0)" } ?? "\(label) \(detail)"
        )
    }

    private mutating func varint() throws(ModelFileError) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard position < range.upperBound else { throw malformed("ends inside a number", start) }
            let byte = UInt64(try blocks.byte(at: position))
            position += 1
            // The tenth byte holds the last bit of 64.
            guard shift < 63 || byte <= 1 else { break }
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw malformed("has a number of more than 64 bits", start)
    }

    private mutating func fixed(_ byteCount: Int) throws(ModelFileError) -> UInt64 {
        guard range.upperBound - position >= byteCount else { throw malformed("ends inside a number", position) }
        var value: UInt64 = 0
        for index in 0..<byteCount { value |= UInt64(try blocks.byte(at: position + index)) << UInt64(8 * index) }
        position += byteCount
        return value
    }
}

extension ProtobufMessage {
    /// The place of a field that must be text, packed numbers or a message.
    func place(_ field: ProtobufField) throws(ModelFileError) -> Range<Int> {
        guard case .bytes(let place) = field.value else { throw wrongType(field) }
        return place
    }

    /// A field that is a message itself.
    func message(_ field: ProtobufField, label: String) throws(ModelFileError) -> ProtobufMessage {
        ProtobufMessage(blocks, try place(field), label: label)
    }

    /// A whole number, which may be negative.
    func integer(_ field: ProtobufField) throws(ModelFileError) -> Int64 {
        guard case .varint(let value) = field.value else { throw wrongType(field) }
        return Int64(bitPattern: value)
    }

    /// Appends the whole numbers of a repeated field, packed or not; at most `limit` in all.
    func append(_ field: ProtobufField, to values: inout [Int64], limit: Int) throws(ModelFileError) {
        if case .bytes(let place) = field.value {
            var numbers = ProtobufMessage(blocks, place, label: label)
            while let number = try numbers.nextPackedVarint() {
                guard values.count < limit else { break }
                values.append(Int64(bitPattern: number))
            }
        } else {
            values.append(try integer(field))
        }
        guard values.count < limit else { throw malformed("has \(limit) numbers or more in field \(field.number)") }
    }

    /// A name: UTF-8 without control characters, since it goes to terminals, of at most 4096 bytes.
    func text(_ field: ProtobufField) throws(ModelFileError) -> String {
        let place = try place(field)
        guard place.count <= Self.textLimit else {
            throw malformed("has a name of \(place.count) bytes", place.lowerBound)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(place.count)
        for position in place { bytes.append(try blocks.byte(at: position)) }
        guard let text = String(validating: bytes, as: UTF8.self),
            text.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw malformed("has a name that is no text", place.lowerBound) }
        return text
    }

    func wrongType(_ field: ProtobufField) -> ModelFileError {
        malformed("has field \(field.number) in another wire type than ONNX gives it")
    }
}

/// Single bytes of a weight file, read in blocks: what is skipped over is not read.
///
/// Shared by all messages of one file, so that small ones next to each other cost one read. Used by one thread.
final class FileBlocks {
    let bytes: WeightBytes
    private var block: [UInt8] = []
    private var start = 0

    private static let blockByteCount = 16 << 10

    /// For messages.
    var file: String { bytes.file }

    init(_ bytes: WeightBytes) { self.bytes = bytes }

    /// The byte at a position.
    ///
    /// - Throws: `.malformedWeights` behind the end of the file, `.unreadableWeights` when reading fails.
    func byte(at position: Int) throws(ModelFileError) -> UInt8 {
        let offset = position - start
        if block.indices.contains(offset) { return block[offset] }
        guard position >= 0, position < bytes.count else {
            throw .malformedWeights(file: file, detail: "it ends before byte \(position)")
        }
        block = try bytes.read(position..<(position + min(Self.blockByteCount, bytes.count - position)))
        start = position
        return block[0]
    }
}
