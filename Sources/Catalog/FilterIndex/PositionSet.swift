internal import VectorIndex

/// Where an image stands in the bitmaps of `field`.
///
/// The image with the lowest number of those that share a vector stands at its slot, so that a set of positions nearly is a set
/// of slots; the others stand at their own numbers, beyond all slots. Every image has one position and every position at most one
/// image: what holds for images can be computed on positions, also "not".
struct ImagePosition: Hashable, Comparable {
    /// Positions in one record of a bitmap.
    static let chunkCount = 8192
    private static let images: UInt64 = 1 << 60

    private let rawValue: UInt64

    init(_ slot: Slot) { rawValue = UInt64(slot.rawValue) }

    /// Numbers rise from 1, so 2^45 is out of reach: the chunk's number has 40 bits.
    init(_ image: ImageID) { rawValue = Self.images | image.rawValue & (1 << 45 - 1) }

    init(chunk: UInt64, offset: Int) {
        rawValue = (chunk >> 39) * Self.images | (chunk & (1 << 39 - 1)) << 13 | UInt64(offset)
    }

    /// Slots are in chunks below 2^39, images in those from there on.
    var chunk: UInt64 { (rawValue & (Self.images - 1)) >> 13 | (rawValue >> 60) << 39 }
    var offset: Int { Int(rawValue & 8191) }

    static let firstImageChunk: UInt64 = 1 << 39

    /// nil where it is an image's own number.
    var slot: Slot? { rawValue < Self.images ? Slot(rawValue: UInt32(truncatingIfNeeded: rawValue)) : nil }
    /// nil where it is a slot.
    var image: ImageID? { rawValue < Self.images ? nil : ImageID(rawValue: rawValue & (Self.images - 1)) }

    static func < (a: ImagePosition, b: ImagePosition) -> Bool { a.rawValue < b.rawValue }
}

/// A set of positions: bitmaps of 8,192, only where there are members.
///
/// Operations on two sets take O(chunks of both * 128).
struct PositionSet: Hashable {
    /// 64-bit words of a chunk.
    static let wordCount = ImagePosition.chunkCount / 64

    /// Numbers of chunks, rising.
    private(set) var chunks: [UInt64] = []
    /// `wordCount` for each of `chunks`.
    private var words: [UInt64] = []

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    func contains(_ position: ImagePosition) -> Bool {
        guard let index = index(of: position.chunk) else { return false }
        return words[index * Self.wordCount + position.offset / 64] & 1 << UInt64(position.offset % 64) != 0
    }

    mutating func insert(_ position: ImagePosition) {
        withWords(of: position.chunk) { $0[$1 + position.offset / 64] |= 1 << UInt64(position.offset % 64) }
    }

    /// Changes the words of a chunk, which is made when it is missing; they begin at the index given.
    mutating func withWords<E: Error>(of chunk: UInt64, _ body: (inout [UInt64], Int) throws(E) -> Void) throws(E) {
        let place = chunks.last.map { $0 < chunk } ?? true ? chunks.count : lowerBound(chunk)
        if place == chunks.count || chunks[place] != chunk {
            chunks.insert(chunk, at: place)
            words.insert(contentsOf: repeatElement(0, count: Self.wordCount), at: place * Self.wordCount)
        }
        try body(&words, place * Self.wordCount)
    }

    mutating func formUnion(_ other: PositionSet) { self = merged(other, keeping: (true, true), |) }
    mutating func formIntersection(_ other: PositionSet) { self = merged(other, keeping: (false, false), &) }
    mutating func subtract(_ other: PositionSet) { self = merged(other, keeping: (true, false)) { $0 & ~$1 } }

    private func merged(
        _ other: PositionSet,
        keeping keeps: (mine: Bool, theirs: Bool),
        _ operation: (UInt64, UInt64) -> UInt64
    ) -> PositionSet {
        var result = PositionSet()
        result.words.reserveCapacity(max(words.count, other.words.count))
        var (mine, theirs) = (0, 0)
        while mine < chunks.count || theirs < other.chunks.count {
            let isMine = mine < chunks.count && (theirs == other.chunks.count || chunks[mine] <= other.chunks[theirs])
            let isTheirs = theirs < other.chunks.count && (!isMine || chunks[mine] == other.chunks[theirs])
            let (left, right) = (mine * Self.wordCount, theirs * Self.wordCount)
            if isMine, isTheirs {
                result.chunks.append(chunks[mine])
                for word in 0..<Self.wordCount {
                    result.words.append(operation(words[left + word], other.words[right + word]))
                }
            } else if isMine, keeps.mine {
                result.chunks.append(chunks[mine])
                result.words += words[left..<left + Self.wordCount]
            } else if isTheirs, keeps.theirs {
                result.chunks.append(other.chunks[theirs])
                result.words += other.words[right..<right + Self.wordCount]
            }
            if isMine { mine += 1 }
            if isTheirs { theirs += 1 }
        }
        return result
    }

    /// The members from a chunk on in rising order: slots, then images.
    func forEach<E: Error>(from first: UInt64 = 0, _ body: (ImagePosition) throws(E) -> Void) throws(E) {
        for (index, chunk) in chunks.enumerated() where chunk >= first {
            for word in 0..<Self.wordCount {
                var rest = words[index * Self.wordCount + word]
                while rest != 0 {
                    try body(ImagePosition(chunk: chunk, offset: word * 64 + rest.trailingZeroBitCount))
                    rest &= rest - 1
                }
            }
        }
    }

    /// The members that are slots.
    var slots: SlotSet {
        let count = chunks.prefix { $0 < ImagePosition.firstImageChunk }.count
        guard count > 0 else { return SlotSet() }
        var all = [UInt64](repeating: 0, count: (Int(chunks[count - 1]) + 1) * Self.wordCount)
        for index in 0..<count {
            let (from, to) = (index * Self.wordCount, Int(chunks[index]) * Self.wordCount)
            all.replaceSubrange(to..<to + Self.wordCount, with: words[from..<from + Self.wordCount])
        }
        return SlotSet(words: all)
    }

    private func index(of chunk: UInt64) -> Int? {
        let place = lowerBound(chunk)
        return place < chunks.count && chunks[place] == chunk ? place : nil
    }

    private func lowerBound(_ chunk: UInt64) -> Int {
        var (low, high) = (0, chunks.count)
        while low < high {
            let middle = (low + high) / 2
            if chunks[middle] < chunk { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
