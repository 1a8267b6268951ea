import Glibc

/// What the worker is about to do, so that the parent can aim and count.
enum TorturePhase: UInt32, CaseIterable {
    case opening
    case checking
    case insertion
    case deletion
    case update
    case checkpoint
    case consolidation
    case codecChange
    case mapGrowth
    case search
    case closing
}

/// A message on the pipe: a kind and words of its own, native integers of 32 bits.
///
/// Up to 4,096 bytes go in one `write`, which a pipe takes whole or not at all; of a longer one a kill may leave a part, which the
/// reader passes over.
struct TortureFrame {
    enum Kind: UInt32 {
        /// [phase]
        case phase
        /// [batch, (item, place or `absent` or `unknown`)...]: begun, may be stored or not.
        case intent
        /// [batch, place...]: stored, one place for each item of the intent.
        case acknowledged
        /// [batch, UTF-8 bytes one a word...]: the store refused it, and says that nothing was stored.
        case refused
        /// Words of `TortureOpening`.
        case opened
        /// Words of `TortureAnswer`.
        case answer
        /// All questions of the plan are answered.
        case checked
        /// [UTF-8 bytes one a word...]: the worker cannot go on.
        case failed
    }

    var kind: Kind
    var words: [UInt32]

    /// In place of a place: the item is to be gone.
    static let absent = UInt32.max
    /// In place of a place: the store chooses it.
    static let unknown = UInt32.max - 1

    init(_ kind: Kind, _ words: [UInt32] = []) {
        self.kind = kind
        self.words = words
    }

    init(_ kind: Kind, _ words: [UInt32] = [], text: String) {
        self.init(kind, words + text.utf8.prefix(900).map { UInt32($0) })
    }

    /// The text behind `skipped` words.
    func text(after skipped: Int = 0) -> String {
        String(decoding: words.dropFirst(skipped).map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    /// Writes the whole frame; false when nobody reads any more.
    @discardableResult
    func write(to descriptor: Int32) -> Bool {
        let message = [kind.rawValue, UInt32(words.count)] + words
        return message.withUnsafeBytes { writeAll($0, to: descriptor) }
    }
}

/// Takes frames out of the bytes of a pipe.
struct TortureFrameReader {
    private var bytes: [UInt8] = []
    private var start = 0

    mutating func append(_ more: some Sequence<UInt8>) {
        if start > 1 << 16 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes += more
    }

    /// The next whole frame; nil when it has not come yet.
    mutating func next() -> TortureFrame? {
        guard let number = word(0), let kind = TortureFrame.Kind(rawValue: number), let count = word(1),
            bytes.count - start >= 8 + 4 * Int(count)
        else { return nil }
        let words = (0..<Int(count)).compactMap { word(2 + $0) }
        start += 8 + 4 * Int(count)
        return TortureFrame(kind, words)
    }

    private func word(_ index: Int) -> UInt32? {
        let at = start + 4 * index
        guard bytes.count >= at + 4 else { return nil }
        return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: at, as: UInt32.self) }
    }
}

/// What the worker sees when it has opened the store.
struct TortureOpening {
    var microseconds: UInt32 = 0
    /// Vectors that searches can find, and rows that hold one.
    var vectorCount: UInt32 = 0
    var storedCount: UInt32 = 0
    /// Vectors that the index left out for their checksums.
    var damagedCount: UInt32 = 0
    /// Rows that break the format or fail their checksum when read without the index.
    var malformedCount: UInt32 = 0
    /// Slots without a vector that links name, and vectors without links, on disk.
    var danglingCount: UInt32 = 0
    var unlinkedCount: UInt32 = 0
    /// What `Catalog.audit` says.
    var findingCount: UInt32 = 0

    init() {}

    init?(_ words: [UInt32]) {
        guard words.count == 8 else { return nil }
        (microseconds, vectorCount, storedCount, damagedCount) = (words[0], words[1], words[2], words[3])
        (malformedCount, danglingCount, unlinkedCount, findingCount) = (words[4], words[5], words[6], words[7])
    }

    var words: [UInt32] {
        [
            microseconds, vectorCount, storedCount, damagedCount, malformedCount, danglingCount, unlinkedCount,
            findingCount,
        ]
    }
}

/// What the store says of one item: three searches, each with its best hits.
struct TortureAnswer {
    struct Hit {
        var place: UInt32
        var score: Float
    }

    var item: UInt32
    /// Whether the stored row of the item's place could be read, its checksum with it. True also where nothing is expected.
    var isRowIntact = true
    /// By its own vector with a scan, by its own vector as usual, and by a vector beside it, which only the graph leads to.
    var exact: [Hit] = []
    var own: [Hit] = []
    var near: [Hit] = []

    init(item: UInt32) { self.item = item }

    init?(_ words: [UInt32]) {
        guard words.count >= 2 else { return nil }
        item = words[0]
        isRowIntact = words[1] != 0
        var rest = words[2...]
        func take() -> [Hit]? {
            guard let count = rest.popFirst(), rest.count >= 2 * Int(count) else { return nil }
            return (0..<Int(count)).compactMap { _ in
                guard let place = rest.popFirst(), let bits = rest.popFirst() else { return nil }
                return Hit(place: place, score: Float(bitPattern: bits))
            }
        }
        guard let exact = take(), let own = take(), let near = take() else { return nil }
        (self.exact, self.own, self.near) = (exact, own, near)
    }

    var words: [UInt32] {
        [item, isRowIntact ? 1 : 0]
            + [exact, own, near].flatMap { hits in
                [UInt32(hits.count)] + hits.flatMap { [$0.place, $0.score.bitPattern] }
            }
    }
}

/// Writes all bytes to a pipe; false when nobody reads any more.
@discardableResult
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 {
            if errno == EINTR { continue }
            return false
        }
        rest = rest.dropFirst(count)
    }
    return true
}
