internal import Glibc
internal import Platform

/// One committed state of a store, read from its file without LMDB: damaged pages are told, and can do no harm.
///
/// The pages of a state are not used again while a read transaction of it lasts, or while nobody writes.
package struct PageSnapshot {
    /// The number of the commit.
    package let transaction: UInt64
    let meta: MetaPage
    let file: PageFile
    /// What is wrong with the meta page that is not used.
    package let damage: PageDamage?

    /// The newest state in a file that nobody writes.
    ///
    /// - Parameter descriptor: of `data.mdb`; stays open as long as this lives.
    /// - Throws: when neither meta page can be used, or the file is too short for what they say.
    package init(descriptor: Int32) throws(PageDamage) {
        try self.init(descriptor: descriptor) { $0.max { $0.transaction < $1.transaction } }
    }

    /// The state of `transaction`, which is active; nil when writers have gone on so far that its meta page is gone.
    init?(descriptor: Int32, transaction: UInt64) throws(PageDamage) {
        do throws(PageDamage) {
            try self.init(descriptor: descriptor) { $0.first { $0.transaction == transaction } }
        } catch {
            guard error == Self.missing else { throw error }
            return nil
        }
    }

    private static let missing = PageDamage(page: 0, detail: "no meta page can be used")

    private init(descriptor: Int32, choosing: ([MetaPage]) -> MetaPage?) throws(PageDamage) {
        var found: [MetaPage] = []
        var damage: PageDamage?
        var offset = 0
        for number in UInt64(0)..<2 {
            do throws(PageDamage) {
                let bytes: [UInt8]
                do throws(SystemError) {
                    bytes = try PageFile.read(descriptor, at: offset, count: MetaPage.byteCount)
                } catch { throw PageDamage(page: number, detail: "cannot be read: \(error)") }
                let meta = try MetaPage(bytes, number: number)
                found.append(meta)
                if number == 0 { offset = meta.pageByteCount }
            } catch {
                damage = error
                // Where the second one lies without the first one's word: LMDB takes the page size of the system.
                if number == 0 { offset = sysconf(Int32(_SC_PAGESIZE)) }
            }
        }
        guard let meta = choosing(found) else { throw damage ?? Self.missing }
        self.meta = meta
        self.damage = damage
        transaction = meta.transaction
        file = PageFile(descriptor: descriptor, pageByteCount: meta.pageByteCount, pageLimit: meta.lastPage + 1)
    }

    /// The trees by the names of their databases.
    package func trees() throws(PageDamage) -> [String: PageTree] {
        var trees: [String: PageTree] = [:]
        var damage: PageDamage?
        var visitor = PageTree.Visitor { problem, _ in
            damage = problem
            return false
        }
        visitor.record = { key, value in
            guard value.count == TreeRecord.byteCount else { return true }
            let record = TreeRecord(Array(value), at: 0)
            trees[String(decoding: key, as: UTF8.self)] = PageTree(file: file, record: record)
            return true
        }
        PageTree(file: file, record: meta.names).traverse(visitor)
        if let damage { throw damage }
        return trees
    }
}
