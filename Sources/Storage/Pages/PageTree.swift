/// A tree of pages with its records, read from the file without LMDB.
///
/// Every page, key and value is checked before it is handed out: kinds, borders, the order of keys, and that a page's keys lie
/// where the page above says. Damage below one page does not hide what its neighbours hold.
package struct PageTree {
    /// LMDB's own limit (`CURSOR_STACK`).
    private static let deepest = 32

    let file: PageFile
    let record: TreeRecord

    /// What a traversal meets.
    package struct Visitor {
        /// A page, or some that belong together.
        var page: (_ number: UInt64, _ count: UInt64, _ kind: Page.Kind) -> Void = { _, _, _ in }
        /// A record, values of one key one by one. Returns whether to go on.
        package var record: (_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool = { _, _ in true }
        /// Pages that cannot be read, and the last key before them. Returns whether to go on.
        package var damage: (_ damage: PageDamage, _ after: ArraySlice<UInt8>?) -> Bool

        package init(damage: @escaping (_ damage: PageDamage, _ after: ArraySlice<UInt8>?) -> Bool) {
            self.damage = damage
        }
    }

    /// What its owner says of its keys.
    package var flags: DatabaseFlags { record.flags }

    /// Records that it is said to have; a key with several values counts once for each.
    package var entryCount: Int { Int(clamping: record.entryCount) }

    /// Walks over all records whose key is above `start`, in order.
    package func traverse(after start: [UInt8]? = nil, _ visitor: Visitor) {
        guard let root = record.root else { return }
        var traversal = Traversal(tree: self, start: start.map { $0[...] }, visitor: visitor)
        _ = traversal.visit(root, depth: record.depth, from: nil, to: nil)
    }

    /// The values of `key`, at most `limit`, in order; empty where there is none.
    ///
    /// - Complexity: O(log n + limit)
    package func values(of key: [UInt8], limit: Int = 1) throws(PageDamage) -> [[UInt8]] {
        guard var number = record.root, limit > 0 else { return [] }
        for _ in 0..<Self.deepest {
            let page = try file.page(number)
            switch page.kind {
            case .branch:
                let nodes = try page.nodes()
                // The first key of a branch says nothing; the child is the last one whose key is not above.
                let above = nodes.dropFirst().firstIndex { record.orders(key[...], before: page.bytes[$0.key]) }
                guard let node = above.map({ nodes[$0 - 1] }) ?? nodes.last, case .child(let child) = node.content
                else { throw page.damage("a branch without nodes") }
                number = child
            case .leaf:
                guard let node = try page.nodes().first(where: { page.bytes[$0.key].elementsEqual(key) }) else {
                    return []
                }
                var found: [[UInt8]] = []
                var damage: PageDamage?
                var visitor = Visitor { problem, _ in
                    damage = problem
                    return false
                }
                visitor.record = { _, value in
                    found.append(Array(value))
                    return found.count < limit
                }
                var traversal = Traversal(tree: self, start: nil, visitor: visitor)
                _ = try traversal.visit(node, of: page)
                if let damage { throw damage }
                return found
            case .fixedLeaf, .meta, .overflow: throw page.damage("kind \(page.kind.rawValue) in a tree")
            }
        }
        throw PageDamage(page: number, detail: "the tree is deeper than \(Self.deepest) pages")
    }

    /// A depth-first traversal: recursive, as deep as the tree.
    private struct Traversal {
        let tree: PageTree
        let start: ArraySlice<UInt8>?
        let visitor: Visitor
        /// The last key that was met.
        private var last: ArraySlice<UInt8>?

        init(tree: PageTree, start: ArraySlice<UInt8>?, visitor: Visitor) {
            self.tree = tree
            self.start = start
            self.visitor = visitor
        }

        /// - Parameters:
        ///   - number: the page.
        ///   - depth: pages from it down to a leaf, itself included.
        ///   - low: no key is below it.
        ///   - high: all keys are below it.
        /// - Returns: whether to go on.
        mutating func visit(
            _ number: UInt64,
            depth: Int,
            from low: ArraySlice<UInt8>?,
            to high: ArraySlice<UInt8>?
        ) -> Bool {
            do throws(PageDamage) {
                guard 1...PageTree.deepest ~= depth else {
                    throw PageDamage(page: number, detail: "the tree is \(depth) pages deep here")
                }
                let page = try tree.file.page(number)
                guard (page.kind == .branch) == (depth > 1), page.kind != .overflow, page.kind != .meta else {
                    throw page.damage("kind \(page.kind.rawValue) where \(depth) pages lead to the records")
                }
                visitor.page(number, 1, page.kind)
                switch page.kind {
                case .branch: return try visitChildren(of: page, depth, low, high)
                case .fixedLeaf: return try visitKeys(of: page)
                default: return try visitNodes(of: page, low, high)
                }
            } catch { return visitor.damage(error, last) }
        }

        private mutating func visitChildren(
            of page: Page,
            _ depth: Int,
            _ low: ArraySlice<UInt8>?,
            _ high: ArraySlice<UInt8>?
        ) throws(PageDamage) -> Bool {
            let nodes = try page.nodes()
            guard !nodes.isEmpty else { throw page.damage("a branch without nodes") }
            for (index, node) in nodes.enumerated() {
                guard case .child(let child) = node.content else { continue }
                let from = index == 0 ? low : page.bytes[node.key]
                let to = index + 1 < nodes.count ? page.bytes[nodes[index + 1].key] : high
                if let from, let to, !tree.record.orders(from, before: to) {
                    throw page.damage("its keys are not in order at node \(index)")
                }
                if let start, let to, !tree.record.orders(start, before: to) { continue }
                guard visit(child, depth: depth - 1, from: from, to: to) else { return false }
            }
            return true
        }

        private mutating func visitNodes(
            of page: Page,
            _ low: ArraySlice<UInt8>?,
            _ high: ArraySlice<UInt8>?
        ) throws(PageDamage) -> Bool {
            var before: ArraySlice<UInt8>?
            // All of them are looked at before the first is handed out.
            let nodes = try page.nodes()
            guard !nodes.isEmpty else { throw page.damage("a leaf without records") }
            for (index, node) in nodes.enumerated() {
                let key = page.bytes[node.key]
                guard tree.record.permits(key) else {
                    throw page.damage("a key of \(key.count) bytes at node \(index)")
                }
                let follows = before.map { tree.record.orders($0, before: key) } ?? true
                let isWithin = low.map { !tree.record.orders(key, before: $0) } ?? true
                let endsBefore = high.map { tree.record.orders(key, before: $0) } ?? true
                guard follows, isWithin, endsBefore else {
                    throw page.damage("its keys are not in order at node \(index)")
                }
                before = key
            }
            for node in nodes {
                let key = page.bytes[node.key]
                if let start, !tree.record.orders(start, before: key) { continue }
                do throws(PageDamage) {
                    guard try visit(node, of: page) else { return false }
                } catch { guard visitor.damage(error, key) else { return false } }
                last = key
            }
            return true
        }

        /// The value or the values of a key.
        mutating func visit(_ node: PageNode, of page: Page) throws(PageDamage) -> Bool {
            let key = page.bytes[node.key]
            switch node.content {
            case .value(let range): return visitor.record(key, page.bytes[range])
            case .overflow(let number, let byteCount):
                let (bytes, count) = try tree.file.overflow(number, byteCount: byteCount)
                visitor.page(number, UInt64(count), .overflow)
                return visitor.record(key, bytes)
            case .values(let range):
                let nested = try Page(number: page.number, bytes: Array(page.bytes[range]), isNested: true)
                for value in try values(of: nested) { guard visitor.record(key, value) else { return false } }
                return true
            case .tree(let range, let isNamed):
                guard range.count == TreeRecord.byteCount else {
                    throw page.damage("a tree's record of \(range.count) bytes")
                }
                if isNamed { return visitor.record(key, page.bytes[range]) }
                return try visitTree(TreeRecord(page.bytes, at: range.lowerBound), of: key)
            case .child: throw page.damage("a child in a leaf")
            }
        }

        /// The values of a key that fill pages of their own.
        private mutating func visitTree(_ record: TreeRecord, of key: ArraySlice<UInt8>) throws(PageDamage) -> Bool {
            guard let root = record.root else { return true }
            let visitor = visitor
            var inner = Visitor { damage, _ in visitor.damage(damage, key) }
            inner.page = visitor.page
            inner.record = { value, _ in visitor.record(key, value) }
            var traversal = Traversal(tree: PageTree(file: tree.file, record: record), start: nil, visitor: inner)
            return traversal.visit(root, depth: record.depth, from: nil, to: nil)
        }

        private mutating func visitKeys(of page: Page) throws(PageDamage) -> Bool {
            for value in try values(of: page) { guard visitor.record(value, []) else { return false } }
            return true
        }

        private func values(of page: Page) throws(PageDamage) -> [ArraySlice<UInt8>] {
            switch page.kind {
            case .fixedLeaf: return try page.fixedKeys()
            case .leaf: return try page.nodes().map { page.bytes[$0.key] }
            default: throw page.damage("kind \(page.kind.rawValue) for values")
            }
        }
    }
}

extension TreeRecord {
    /// Whether `one` comes before `other` in this tree.
    func orders(_ one: ArraySlice<UInt8>, before other: ArraySlice<UInt8>) -> Bool {
        // Little-endian numbers of one size, compared from their last byte.
        if flags.contains(.integerKey) { return one.reversed().lexicographicallyPrecedes(other.reversed()) }
        return one.lexicographicallyPrecedes(other)
    }

    func permits(_ key: ArraySlice<UInt8>) -> Bool {
        flags.contains(.integerKey)
            ? key.count == 4 || key.count == 8 : 1...Environment.maximumKeyByteCount ~= key.count
    }
}
