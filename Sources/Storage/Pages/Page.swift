/// A page that is not what LMDB writes.
package struct PageDamage: Error, Sendable, Hashable {
    /// Its number in the file.
    package let page: UInt64
    package let detail: String
}

/// A page of LMDB 0.9 as read from the file, taken apart with every offset and length checked: LMDB itself trusts them and reads
/// wherever they lead.
///
/// 16 bytes of header: number `u64`, padding or key size `u16`, kind `u16`, end of the offsets `u16`, start of the nodes `u16` (or
/// for overflow pages their count `u32`). Offsets of nodes, `u16` each, grow upwards from the header; nodes fill the page from its end
/// downwards without gaps. Everything is little-endian on the machines that this runs on (liblmdb 0.9.24, `mdb.c`: `MDB_page`,
/// `MDB_node`).
struct Page {
    static let headerByteCount = 16

    enum Kind: UInt16 {
        case branch = 0x01
        case leaf = 0x02
        case overflow = 0x04
        case meta = 0x08
        /// A leaf of keys of one size and nothing else: the values of one key in a database of `fixedDuplicates`.
        case fixedLeaf = 0x22
    }

    /// Bits that say where a page is in memory; a page inside a node keeps some of them on disk.
    private static let passing: UInt16 = 0x10 | 0x40 | 0x4000 | 0x8000

    let number: UInt64
    let bytes: [UInt8]
    let kind: Kind

    /// - Parameters:
    ///   - number: where it was read.
    ///   - bytes: at least a header.
    ///   - isNested: it lies in a node, where its number means nothing.
    /// - Throws: when its header is none.
    init(number: UInt64, bytes: [UInt8], isNested: Bool = false) throws(PageDamage) {
        self.number = number
        self.bytes = bytes
        guard bytes.count >= Self.headerByteCount else {
            throw PageDamage(page: number, detail: "\(bytes.count) bytes")
        }
        let flags = Self.integer(bytes, at: 10, UInt16.self)
        let meaning = isNested ? flags & ~Self.passing : flags
        guard let kind = Kind(rawValue: meaning) else { throw PageDamage(page: number, detail: "kind \(flags)") }
        self.kind = kind
        let own = Self.integer(bytes, at: 0, UInt64.self)
        guard isNested || own == number else { throw damage("it calls itself page \(own)") }
    }

    func damage(_ detail: String) -> PageDamage { PageDamage(page: number, detail: detail) }

    /// Pages that an overflow page goes on over, itself included.
    var overflowCount: UInt32 { Self.integer(bytes, at: 12, UInt32.self) }

    /// Checks the borders of the offsets and of the nodes.
    ///
    /// - Returns: how many nodes the page has.
    private func checkedCount() throws(PageDamage) -> Int {
        let lower = Int(Self.integer(bytes, at: 12, UInt16.self))
        let upper = Int(Self.integer(bytes, at: 14, UInt16.self))
        guard lower >= Self.headerByteCount, lower % 2 == 0, lower <= upper, upper <= bytes.count else {
            throw damage("its nodes begin at \(upper) and their offsets end at \(lower)")
        }
        return (lower - Self.headerByteCount) / 2
    }

    /// The nodes of a branch or leaf, in order of keys.
    ///
    /// - Throws: when they do not fill the page from the end of its free part to its own end, each once.
    func nodes() throws(PageDamage) -> [PageNode] {
        let count = try checkedCount()
        let upper = Int(Self.integer(bytes, at: 14, UInt16.self))
        var nodes: [PageNode] = []
        nodes.reserveCapacity(count)
        var total = 0
        for index in 0..<count {
            let offset = Int(Self.integer(bytes, at: Self.headerByteCount + 2 * index, UInt16.self))
            guard offset >= upper, offset % 2 == 0, offset + PageNode.headerByteCount <= bytes.count else {
                throw damage("node \(index) lies at \(offset)")
            }
            let node = try PageNode(self, at: offset)
            total += node.byteCount
            nodes.append(node)
        }
        guard total == bytes.count - upper else {
            throw damage("its nodes take \(total) bytes of \(bytes.count - upper)")
        }
        // As much as there is room for, and no two of them the same bytes.
        let sorted = nodes.map { ($0.offset, $0.byteCount) }.sorted { $0.0 < $1.0 }
        for (one, next) in zip(sorted, sorted.dropFirst()) where one.0 + one.1 != next.0 {
            throw damage("nodes at \(one.0) and \(next.0) overlap")
        }
        return nodes
    }

    /// The keys of a fixed leaf.
    func fixedKeys() throws(PageDamage) -> [ArraySlice<UInt8>] {
        let count = try checkedCount()
        let width = Int(Self.integer(bytes, at: 8, UInt16.self))
        let upper = Int(Self.integer(bytes, at: 14, UInt16.self))
        guard width > 0, Self.headerByteCount + count * width <= bytes.count,
            upper == bytes.count - count * (width - 2)
        else { throw damage("\(count) keys of \(width) bytes") }
        return (0..<count).map { index in
            let start = Self.headerByteCount + index * width
            return bytes[start..<start + width]
        }
    }

    /// A little-endian number; the caller has checked that it lies within.
    static func integer<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: [UInt8], at offset: Int, _: T.Type) -> T {
        bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }
}

/// A node of a branch or leaf: 8 bytes of header, the key, and in a leaf the value or where it lies.
struct PageNode {
    static let headerByteCount = 8

    /// What is behind the key of a leaf's node.
    enum Content {
        /// A branch's: the page below.
        case child(UInt64)
        case value(Range<Int>)
        /// The value fills pages of its own.
        case overflow(page: UInt64, byteCount: Int)
        /// The values of a key, as a page within this one.
        case values(Range<Int>)
        /// A tree of its own: of a named database, or the values of a key.
        case tree(Range<Int>, isNamed: Bool)
    }

    let offset: Int
    /// With the byte that keeps the next node even.
    let byteCount: Int
    let key: Range<Int>
    let content: Content

    init(_ page: Page, at offset: Int) throws(PageDamage) {
        let bytes = page.bytes
        let low = Page.integer(bytes, at: offset, UInt16.self)
        let high = Page.integer(bytes, at: offset + 2, UInt16.self)
        let flags = Page.integer(bytes, at: offset + 4, UInt16.self)
        let keyByteCount = Int(Page.integer(bytes, at: offset + 6, UInt16.self))
        let start = offset + Self.headerByteCount
        let dataStart = start + keyByteCount
        let number = UInt64(low) | UInt64(high) << 16
        guard dataStart <= bytes.count else {
            throw page.damage("the key of the node at \(offset) ends beyond the page")
        }
        key = start..<dataStart
        self.offset = offset
        if case .branch = page.kind {
            content = .child(number | UInt64(flags) << 32)
            byteCount = Self.even(Self.headerByteCount + keyByteCount)
            return
        }
        let dataByteCount = Int(number)
        let isBig = flags == 0x01
        let end = dataStart + (isBig ? 8 : dataByteCount)
        guard end <= bytes.count else { throw page.damage("the value of the node at \(offset) ends beyond the page") }
        byteCount = Self.even(end - offset)
        switch flags {
        case 0: content = .value(dataStart..<end)
        case 0x01:
            content = .overflow(page: Page.integer(bytes, at: dataStart, UInt64.self), byteCount: dataByteCount)
        case 0x02: content = .tree(dataStart..<end, isNamed: true)
        case 0x04: content = .values(dataStart..<end)
        case 0x06: content = .tree(dataStart..<end, isNamed: false)
        default: throw page.damage("the node at \(offset) is of kind \(flags)")
        }
    }

    private static func even(_ count: Int) -> Int { (count + 1) & ~1 }
}
