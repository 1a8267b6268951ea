internal import VectorIndex

/// An image's position in the Roaring bitmaps of `field`: the number of a container, and an offset in it.
///
/// The image with the lowest number of those that share a vector stands at its slot, so that a set of positions nearly is a set
/// of slots; the others stand at their own numbers, beyond all slots. Every image has one position and every position at most one
/// image: what holds for images can be computed on positions, also "not".
struct ImagePosition: Hashable, Comparable {
    /// Positions in one record of a bitmap.
    static let containerCapacity = 8192
    private static let images: UInt64 = 1 << 60

    private let rawValue: UInt64

    init(_ slot: Slot) { rawValue = UInt64(slot.rawValue) }

    /// Numbers rise from 1, so 2^45 is out of reach: the container's number has 40 bits.
    init(_ image: ImageID) { rawValue = Self.images | image.rawValue & (1 << 45 - 1) }

    init(container: UInt64, offset: Int) {
        rawValue = (container >> 39) * Self.images | (container & (1 << 39 - 1)) << 13 | UInt64(offset)
    }

    /// Slots are in containers below 2^39, images in those from there on.
    var container: UInt64 { (rawValue & (Self.images - 1)) >> 13 | (rawValue >> 60) << 39 }
    var offset: Int { Int(rawValue & 8191) }

    static let firstImageContainer: UInt64 = 1 << 39

    /// nil where it is an image's own number.
    var slot: Slot? { rawValue < Self.images ? Slot(rawValue: UInt32(truncatingIfNeeded: rawValue)) : nil }
    /// nil where it is a slot.
    var image: ImageID? { rawValue < Self.images ? nil : ImageID(rawValue: rawValue & (Self.images - 1)) }

    static func < (a: ImagePosition, b: ImagePosition) -> Bool { a.rawValue < b.rawValue }
}

/// A set of positions in containers of 8,192 as Roaring bitmaps have them, only where there are members. In memory every container is a bitmap;
/// stored ones can be arrays (`FieldContainer`).
///
/// Operations on two sets take O(containers of both * 128).
struct PositionSet: Hashable {
    /// 64-bit words of a container.
    static let wordCount = ImagePosition.containerCapacity / 64

    /// Numbers of containers, rising.
    private(set) var containers: [UInt64] = []
    /// `wordCount` for each of `containers`.
    private var words: [UInt64] = []

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    func contains(_ position: ImagePosition) -> Bool {
        guard let index = index(of: position.container) else { return false }
        return words[index * Self.wordCount + position.offset / 64] & 1 << UInt64(position.offset % 64) != 0
    }

    mutating func insert(_ position: ImagePosition) {
        withWords(of: position.container) { $0[$1 + position.offset / 64] |= 1 << UInt64(position.offset % 64) }
    }

    /// Changes the words of a container, which is made when it is missing; they begin at the index given.
    mutating func withWords<E: Error>(of container: UInt64, _ body: (inout [UInt64], Int) throws(E) -> Void) throws(E) {
        let place = containers.last.map { $0 < container } ?? true ? containers.count : lowerBound(container)
        if place == containers.count || containers[place] != container {
            containers.insert(container, at: place)
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
        while mine < containers.count || theirs < other.containers.count {
            let isMine =
                mine < containers.count
                && (theirs == other.containers.count || containers[mine] <= other.containers[theirs])
            let isTheirs = theirs < other.containers.count && (!isMine || containers[mine] == other.containers[theirs])
            let (left, right) = (mine * Self.wordCount, theirs * Self.wordCount)
            if isMine, isTheirs {
                result.containers.append(containers[mine])
                for word in 0..<Self.wordCount {
                    result.words.append(operation(words[left + word], other.words[right + word]))
                }
            } else if isMine, keeps.mine {
                result.containers.append(containers[mine])
                result.words += words[left..<left + Self.wordCount]
            } else if isTheirs, keeps.theirs {
                result.containers.append(other.containers[theirs])
                result.words += other.words[right..<right + Self.wordCount]
            }
            if isMine { mine += 1 }
            if isTheirs { theirs += 1 }
        }
        return result
    }

    /// The members from a container on in rising order: slots, then images.
    func forEach<E: Error>(from first: UInt64 = 0, _ body: (ImagePosition) throws(E) -> Void) throws(E) {
        for (index, container) in containers.enumerated() where container >= first {
            for word in 0..<Self.wordCount {
                var rest = words[index * Self.wordCount + word]
                while rest != 0 {
                    try body(ImagePosition(container: container, offset: word * 64 + rest.trailingZeroBitCount))
                    rest &= rest - 1
                }
            }
        }
    }

    /// The members that are slots.
    var slots: SlotSet {
        let count = containers.prefix { $0 < ImagePosition.firstImageContainer }.count
        guard count > 0 else { return SlotSet() }
        var all = [UInt64](repeating: 0, count: (Int(containers[count - 1]) + 1) * Self.wordCount)
        for index in 0..<count {
            let (from, to) = (index * Self.wordCount, Int(containers[index]) * Self.wordCount)
            all.replaceSubrange(to..<to + Self.wordCount, with: words[from..<from + Self.wordCount])
        }
        return SlotSet(words: all)
    }

    private func index(of container: UInt64) -> Int? {
        let place = lowerBound(container)
        return place < containers.count && containers[place] == container ? place : nil
    }

    private func lowerBound(_ container: UInt64) -> Int {
        var (low, high) = (0, containers.count)
        while low < high {
            let middle = (low + high) / 2
            if containers[middle] < container { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
