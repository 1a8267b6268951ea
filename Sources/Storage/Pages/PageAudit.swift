package import Platform

/// Something in the pages of a store that is not as it must be.
package struct PageFinding: Sendable, Hashable {
    /// nil: of no database.
    package let database: String?
    package let page: UInt64
    package let detail: String
    /// It shows only where all pages are looked at: two have the page, or the tree is not as large as it says.
    package let isOwnership: Bool

    init(database: String?, page: UInt64, detail: String, isOwnership: Bool = true) {
        self.database = database
        self.page = page
        self.detail = detail
        self.isOwnership = isOwnership
    }
}

/// Looks at every page of a state: each belongs to one tree or is free, and each tree is as large as it says.
package struct PageAudit {
    private static let freeList = "free pages"
    /// Findings of a kind; more say nothing new.
    private static let limit = 100

    private let snapshot: PageSnapshot
    private let deadline: Instant?
    private var isUsed: [Bool]
    private var findings: [PageFinding] = []

    /// - Parameters:
    ///   - snapshot: the state.
    ///   - deadline: when to give up.
    package init(_ snapshot: PageSnapshot, until deadline: Instant? = nil) {
        self.snapshot = snapshot
        self.deadline = deadline
        isUsed = []
    }

    /// - Returns: what is wrong, and whether everything was looked at.
    /// - Complexity: reads the file once; one byte of memory a page.
    package consuming func run() -> (findings: [PageFinding], isComplete: Bool) {
        if let damage = snapshot.damage { add(nil, damage) }
        let limit = snapshot.file.pageLimit
        do throws(PageDamage) {
            let end = UInt64(try fileByteCount() / snapshot.file.pageByteCount)
            guard limit <= end else {
                throw PageDamage(page: end, detail: "the file ends after \(end) of \(limit) pages")
            }
            isUsed = [Bool](repeating: false, count: Int(limit))
            (isUsed[0], isUsed[1]) = (true, true)
            for (name, record) in try allTrees() {
                guard check(name, record) else { return (findings, false) }
            }
            if findings.isEmpty {
                for page in isUsed.indices where !isUsed[page] {
                    findings.append(PageFinding(database: nil, page: UInt64(page), detail: "neither in use nor free"))
                    if findings.count > Self.limit { break }
                }
            }
        } catch { add(nil, error) }
        return (findings, true)
    }

    private mutating func add(_ database: String?, _ damage: PageDamage) {
        findings.append(
            PageFinding(database: database, page: damage.page, detail: damage.detail, isOwnership: false)
        )
    }

    private func fileByteCount() throws(PageDamage) -> Int {
        do throws(SystemError) { return try PageFile.byteCount(snapshot.file.descriptor) } catch {
            throw PageDamage(page: 0, detail: "cannot be inspected: \(error)")
        }
    }

    private func allTrees() throws(PageDamage) -> [(name: String, record: TreeRecord)] {
        let named = try snapshot.trees().map { (name: $0.key, record: $0.value.record) }
        return [(name: Self.freeList, record: snapshot.meta.free), (name: "databases", record: snapshot.meta.names)]
            + named.sorted { $0.name < $1.name }
    }

    /// What a traversal of a tree counts.
    private final class Tally {
        var branches: UInt64 = 0
        var leaves: UInt64 = 0
        var overflows: UInt64 = 0
        var entries: UInt64 = 0
        var pages: [(number: UInt64, count: UInt64)] = []
        var free: [UInt64] = []
        var damage: [PageDamage] = []
        var isLate = false
    }

    /// - Returns: false when the time is over.
    private mutating func check(_ name: String, _ record: TreeRecord) -> Bool {
        let tally = Tally()
        let isFreeList = name == Self.freeList
        let deadline = deadline
        var visitor = PageTree.Visitor { problem, _ in
            tally.damage.append(problem)
            return tally.damage.count < Self.limit
        }
        visitor.page = { number, count, kind in
            tally.pages.append((number, count))
            switch kind {
            case .branch: tally.branches += 1
            case .overflow: tally.overflows += count
            default: tally.leaves += 1
            }
        }
        visitor.record = { key, value in
            tally.entries += 1
            if isFreeList { tally.free += Self.pages(of: value) }
            if tally.entries % 1024 == 0, let deadline, deadline <= .now { tally.isLate = true }
            return !tally.isLate
        }
        PageTree(file: snapshot.file, record: record).traverse(visitor)
        guard !tally.isLate else { return false }
        for damage in tally.damage { add(name, damage) }
        for page in tally.pages + tally.free.map({ ($0, 1) }) { take(page, name) }
        guard tally.damage.isEmpty else { return true }
        // The pages of values that have a tree of their own are not counted with the others.
        let hasInner = record.flags.contains(.duplicates)
        let fits =
            tally.entries == record.entryCount
            && (hasInner || tally.branches == record.branchCount && tally.leaves == record.leafCount)
            && tally.overflows == record.overflowCount
        if !fits {
            let page = record.root ?? 0
            findings.append(PageFinding(database: name, page: page, detail: "its counts are not those of its pages"))
        }
        return true
    }

    /// Marks pages as taken; a page has one owner.
    private mutating func take(_ pages: (number: UInt64, count: UInt64), _ name: String) {
        for number in pages.number..<pages.number + pages.count {
            guard number < UInt64(isUsed.count), !isUsed[Int(number)] else {
                let detail = "it is somebody else's too, or does not exist"
                findings.append(PageFinding(database: name, page: number, detail: detail))
                if findings.count > Self.limit { return }
                continue
            }
            isUsed[Int(number)] = true
        }
    }

    /// A record of the tree of free pages: their count `u64` and their numbers `u64`.
    private static func pages(of value: ArraySlice<UInt8>) -> [UInt64] {
        let bytes = Array(value)
        guard bytes.count >= 8 else { return [] }
        let count = Page.integer(bytes, at: 0, UInt64.self)
        let present = min(count, UInt64(bytes.count / 8 - 1))
        return (0..<Int(present)).map { Page.integer(bytes, at: 8 + 8 * $0, UInt64.self) }
    }
}
