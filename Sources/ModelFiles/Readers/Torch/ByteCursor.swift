/// Reads a part of a weight file forwards, through a small window, because a pickle's length is known only at its end.
struct ByteCursor {
    private static let windowByteCount = 64 << 10

    let bytes: WeightBytes
    /// Where the next byte is, from the start of the file.
    private(set) var position: Int
    /// Where reading must stop.
    let end: Int
    private var window: [UInt8] = []
    private var windowStart = 0

    /// Covers a range within the file.
    init(_ bytes: WeightBytes, _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    var file: String { bytes.file }

    /// An error that names the file and the place.
    func fault(_ detail: String) -> ModelFileError {
        .malformedWeights(file: file, detail: "\(detail), before byte \(position)")
    }

    /// Goes forward to a place within the range.
    mutating func skip(to place: Int) { position = min(max(position, place), end) }

    /// The next byte.
    mutating func byte() throws(ModelFileError) -> UInt8 {
        guard position < end else { throw fault("it ends too early") }
        if !(windowStart..<windowStart + window.count).contains(position) {
            window = try bytes.read(position..<min(end, position + Self.windowByteCount))
            windowStart = position
        }
        defer { position += 1 }
        return window[position - windowStart]
    }

    /// The next `count` bytes; the count is checked against what is left before anything is allocated.
    mutating func take(_ count: Int) throws(ModelFileError) -> ArraySlice<UInt8> {
        guard count >= 0, count <= end - position else { throw fault("\(count) bytes are missing") }
        let offset = position - windowStart
        if offset < 0 || offset + count > window.count {
            window = try bytes.read(position..<min(end, position + max(count, Self.windowByteCount)))
            windowStart = position
        }
        let start = position - windowStart
        position += count
        return window[start..<start + count]
    }

    /// A little-endian number of `byteCount` bytes, at most 8.
    mutating func integer(_ byteCount: Int) throws(ModelFileError) -> UInt64 {
        try take(byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// A little-endian length of `byteCount` bytes that the rest can hold.
    mutating func length(_ byteCount: Int) throws(ModelFileError) -> Int {
        let length = try integer(byteCount)
        guard length <= UInt64(end - position) else { throw fault("\(length) bytes are missing") }
        return Int(length)
    }

    /// Text up to a line feed, which is taken too; at most 256 bytes, as names are.
    mutating func line() throws(ModelFileError) -> String {
        var line: [UInt8] = []
        while true {
            let byte = try byte()
            if byte == UInt8(ascii: "\n") { break }
            line.append(byte)
            guard line.count <= 256 else { throw fault("a name is longer than 256 bytes") }
        }
        guard let text = String(validating: line, as: UTF8.self) else { throw fault("a name is not UTF-8") }
        return text
    }
}
