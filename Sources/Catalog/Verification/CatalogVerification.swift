internal import Glibc
internal import Platform
internal import Storage

/// Something stored that is not as it must be.
package struct CatalogFinding: Hashable, Sendable {
    /// The database of the stored format, or `pages`.
    package let database: String
    /// The record's key as people read it, or the page.
    package let key: String
    package let detail: String
}

/// Reads everything that a collection stores and names what is damaged.
///
/// It reads pages and records from the file itself, without LMDB, which trusts what it reads: damage is told wherever it lies, and
/// can do no harm. First the pages: each belongs to one tree or is free. Then every record of every database: its checksum, its
/// fields, and that the records that belong together say the same.
///
/// Beside a running collection it works in slices of a tenth of a second, each on the state of its moment, so no page is kept from
/// being used again for longer; only the pages are looked at in one go, for ten seconds at most. One thread at a time.
package final class CatalogVerification: Sendable {
    /// What a step came to.
    package enum Step: Sendable {
        case progress(database: String, done: Int, total: Int)
        case finding(CatalogFinding)
        /// The end. Pages of a store too large for ten seconds are looked at one by one only, beside a running collection.
        case done(records: Int, findings: Int)
    }

    private static let sliceSeconds = 0.1
    private static let pageSeconds = 10.0
    /// More say nothing new.
    private static let findingLimit = 1000

    private struct State {
        var waiting: [Step] = []
        var remaining: [String]?
        var after: [UInt8]?
        var done = 0
        var total = 0
        var findings = 0
        var isOver = false
        /// What stays from slice to slice.
        var rows: RowVerification?
    }

    private let source: VerificationSource
    private let state = Monitor(State())

    init(_ source: VerificationSource) { self.source = source }

    /// Verifies a store that no process has open, without writing anything to its folder: a collection at rest, or a backup.
    ///
    /// - Parameter file: path of its `data.mdb`.
    /// - Throws: `.storage` when the file cannot be opened.
    package convenience init(file: String) throws(CatalogError) {
        do throws(SystemError) {
            self.init(.file(VerificationSource.File(try OwnedDescriptor.open(file, O_RDONLY))))
        } catch { throw .storage(detail: "\(error)") }
    }

    /// The next step; nil after `done`.
    ///
    /// - Throws: `.storage` when a running collection was closed.
    package func next() throws(CatalogError) -> Step? {
        do throws(CatalogFailure) {
            return try state.withLockNotifyingAll { (state) throws(CatalogFailure) -> Step? in
                while state.waiting.isEmpty, !state.isOver { try advance(&state) }
                return state.waiting.isEmpty ? nil : state.waiting.removeFirst()
            }
        } catch { throw error.error }
    }

    private func advance(_ state: inout State) throws(CatalogFailure) {
        try source.withSnapshot { (snapshot) throws(CatalogFailure) in
            let trees: [String: PageTree]
            do throws(PageDamage) { trees = try snapshot.get().trees() } catch {
                Self.add(CatalogFinding(database: "pages", key: "page \(error.page)", detail: error.detail), to: &state)
                return finish(&state)
            }
            guard let database = state.remaining?.first else {
                guard state.remaining == nil else { return finish(&state) }
                return begin(trees, snapshot, &state)
            }
            guard let tree = trees[database] else { return endDatabase(&state) }
            read(tree, database, VerificationView(trees: trees), &state)
        }
    }

    /// The first slice: which databases there are, and what their pages look like.
    private func begin(_ trees: [String: PageTree], _ snapshot: Result<PageSnapshot, PageDamage>, _ state: inout State)
    {
        state.remaining = RowVerification.databases.map(\.name)
        state.rows = RowVerification(VerificationView(trees: trees))
        for (name, flags) in RowVerification.databases {
            let problem: String?
            if let tree = trees[name] {
                problem = tree.flags == flags ? nil : "its flags are \(tree.flags.rawValue)"
            } else {
                state.remaining?.removeAll { $0 == name }
                problem = RowVerification.laterDatabases.contains(name) ? nil : "missing"
            }
            guard let problem else { continue }
            Self.add(CatalogFinding(database: name, key: "database", detail: problem), to: &state)
            state.remaining?.removeAll { $0 == name }
        }
        let known = Set(RowVerification.databases.map(\.name))
        for name in trees.keys.sorted() where !known.contains(name) {
            Self.add(CatalogFinding(database: name, key: "database", detail: "unknown"), to: &state)
        }
        if let images = trees["img"]?.entryCount, let pairs = trees["dup"]?.entryCount, images != pairs {
            let detail = "\(pairs) pairs of vector and image for \(images) images"
            Self.add(CatalogFinding(database: "dup", key: "database", detail: detail), to: &state)
        }
        state.total = (state.remaining ?? []).reduce(0) { $0 + (trees[$1]?.entryCount ?? 0) }
        guard case .success(let snapshot) = snapshot else { return }
        let deadline = source.isRunning ? Instant.now + Self.pageSeconds : nil
        for finding in PageAudit(snapshot, until: deadline).run().findings {
            // Damage within a database shows again where its records are read, and by the record's name.
            if let database = finding.database, known.contains(database), !finding.isOwnership { continue }
            let place = finding.database.map { "\($0), " } ?? ""
            Self.add(
                CatalogFinding(database: "pages", key: "\(place)page \(finding.page)", detail: finding.detail),
                to: &state
            )
        }
    }

    /// One slice of one database.
    private func read(_ tree: PageTree, _ database: String, _ view: VerificationView, _ state: inout State) {
        guard var rows = state.rows else { return finish(&state) }
        let end = Instant.now + Self.sliceSeconds
        // Findings are gathered here: the closures outlive no traversal, but the compiler cannot know.
        let slice = Slice(after: state.after)
        var visitor = PageTree.Visitor { damage, key in
            let near = key.map { ", after \(RowVerification.name(database, Array($0)))" } ?? ""
            slice.findings.append(
                CatalogFinding(database: database, key: "page \(damage.page)\(near)", detail: damage.detail)
            )
            return slice.findings.count < Self.findingLimit
        }
        visitor.record = { key, value in
            // A slice ends between keys, not between the values of one.
            if slice.isLate, !(slice.after.map { key.elementsEqual($0) } ?? false) { return false }
            let key = Array(key)
            if let problem = rows.problem(database, key, Array(value), view) {
                slice.findings.append(
                    CatalogFinding(database: database, key: RowVerification.name(database, key), detail: problem)
                )
            }
            slice.after = key
            slice.count += 1
            if slice.count % 64 == 0, end <= .now { slice.isLate = true }
            return slice.findings.count < Self.findingLimit
        }
        tree.traverse(after: state.after, visitor)
        for finding in slice.findings { Self.add(finding, to: &state) }
        state.rows = rows
        state.done += slice.count
        state.waiting.append(.progress(database: database, done: min(state.done, state.total), total: state.total))
        if state.findings >= Self.findingLimit { return finish(&state) }
        guard slice.isLate else { return endDatabase(&state) }
        state.after = slice.after
    }

    private final class Slice {
        var findings: [CatalogFinding] = []
        var after: [UInt8]?
        var count = 0
        var isLate = false

        init(after: [UInt8]?) { self.after = after }
    }

    private func endDatabase(_ state: inout State) {
        state.remaining?.removeFirst()
        state.after = nil
    }

    private func finish(_ state: inout State) {
        state.waiting.append(.done(records: state.done, findings: state.findings))
        state.isOver = true
    }

    private static func add(_ finding: CatalogFinding, to state: inout State) {
        state.findings += 1
        state.waiting.append(.finding(finding))
    }
}

extension Catalog {
    /// Begins to verify this collection, while searches and changes go on.
    package func verification() -> CatalogVerification { CatalogVerification(.environment(store.environment)) }
}
