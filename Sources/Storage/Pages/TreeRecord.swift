/// What LMDB keeps of a tree of pages (`MDB_db`, 48 bytes): key size `u32`, flags `u16`, depth `u16`, then `u64` each: branch pages,
/// leaf pages, overflow pages, entries, root.
struct TreeRecord: Hashable {
    static let byteCount = 48
    private static let noPage = UInt64.max

    let keyByteCount: UInt32
    let flags: DatabaseFlags
    let depth: Int
    let branchCount: UInt64
    let leafCount: UInt64
    let overflowCount: UInt64
    let entryCount: UInt64
    /// nil: the tree is empty.
    let root: UInt64?

    /// - Parameters:
    ///   - bytes: holds the record.
    ///   - offset: where; the caller has checked that 48 bytes follow.
    init(_ bytes: [UInt8], at offset: Int) {
        keyByteCount = Page.integer(bytes, at: offset, UInt32.self)
        flags = DatabaseFlags(rawValue: UInt32(Page.integer(bytes, at: offset + 4, UInt16.self)))
        depth = Int(Page.integer(bytes, at: offset + 6, UInt16.self))
        branchCount = Page.integer(bytes, at: offset + 8, UInt64.self)
        leafCount = Page.integer(bytes, at: offset + 16, UInt64.self)
        overflowCount = Page.integer(bytes, at: offset + 24, UInt64.self)
        entryCount = Page.integer(bytes, at: offset + 32, UInt64.self)
        let root = Page.integer(bytes, at: offset + 40, UInt64.self)
        self.root = root == Self.noPage ? nil : root
    }
}

/// The page that says where everything is (`MDB_meta`): pages 0 and 1, written in turn.
struct MetaPage {
    /// From a page's start: header 16, magic `u32`, version `u32`, address `u64`, map size `u64`, the trees of free pages and of
    /// names, last page `u64`, transaction `u64`.
    static let byteCount = 152
    private static let magic: UInt32 = 0xBEEF_C0DE
    private static let version: UInt32 = 1

    let pageByteCount: Int
    let free: TreeRecord
    let names: TreeRecord
    let lastPage: UInt64
    let transaction: UInt64

    /// - Parameters:
    ///   - bytes: at least 152 of the page.
    ///   - number: 0 or 1.
    /// - Throws: when LMDB would refuse it, or would be led astray by it.
    init(_ bytes: [UInt8], number: UInt64) throws(PageDamage) {
        let page = try Page(number: number, bytes: bytes)
        guard case .meta = page.kind, bytes.count >= Self.byteCount else { throw page.damage("it is no meta page") }
        let magic = Page.integer(bytes, at: 16, UInt32.self)
        let version = Page.integer(bytes, at: 20, UInt32.self)
        guard magic == Self.magic, version == Self.version else {
            throw page.damage("magic \(magic), version \(version)")
        }
        free = TreeRecord(bytes, at: 40)
        names = TreeRecord(bytes, at: 88)
        lastPage = Page.integer(bytes, at: 136, UInt64.self)
        transaction = Page.integer(bytes, at: 144, UInt64.self)
        pageByteCount = Int(free.keyByteCount)
        guard 512...65_536 ~= pageByteCount, pageByteCount & (pageByteCount - 1) == 0 else {
            throw page.damage("pages of \(pageByteCount) bytes")
        }
        guard free.flags == .integerKey, names.flags == [] else { throw page.damage("the flags of its trees") }
        guard lastPage >= 1, lastPage < 1 << 46 else { throw page.damage("last page \(lastPage)") }
    }
}
