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
