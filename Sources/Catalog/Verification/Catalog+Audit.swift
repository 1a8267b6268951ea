internal import Platform
internal import Storage
internal import VectorIndex

/// Reads everything and compares: for `verify` and for tests.
extension Catalog {
    /// What does not fit together, one sentence each; empty for a sound collection.
    ///
    /// Every record is read and its checksum looked at; every vector is read. Holds one read transaction throughout, so the
    /// file grows while others write.
    /// - Complexity: O(n) time, and O(n) memory for identifiers
    package func audit() throws(CatalogError) -> [String] {
        try read { (contents, transaction) throws(CatalogFailure) in
            let audit = CatalogAudit(contents: contents)
            try audit.run(transaction)
            return audit.findings
        }
    }
}

private final class CatalogAudit {
    let contents: CatalogStore.Contents
    private(set) var findings: [String] = []
    private var slots: [ImageID: Slot] = [:]
    private var imagesOfContent: [SHA256Digest: UInt64] = [:]

    init(contents: CatalogStore.Contents) { self.contents = contents }

    func run(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        try readImages(transaction)
        try readFiles(transaction)
        try readContents(transaction)
        try readSlots(transaction)
        try readFeed(transaction)
        findings += try FieldAudit().findings(transaction)
    }

    private func expect(_ holds: Bool, _ finding: @autoclosure () -> String) {
        if !holds { findings.append(finding()) }
    }

    private func readImages(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        let last = try CatalogState(transaction).lastImage
        try transaction.scan(transaction.tables.images) { (key, value) throws(CatalogFailure) in
            guard let number = key.integer(at: 0, as: UInt64.self) else { throw .corrupted("image", "short key") }
            let id = ImageID(rawValue: number)
            let row = try ImageRow(value.copied, id: id)
            slots[id] = row.slot
            imagesOfContent[row.image.content, default: 0] += 1
            expect(number <= last, "image \(id) has a number that was not given yet")
            let file = try transaction.file(row.image.key)
            expect(file?.image == id, "image \(id) is not the one of \(FileRow.name(row.image.key))")
            expect(file?.content == row.image.content, "image \(id) and its file differ in content")
            let content = try transaction.content(row.image.content)
            expect(content?.slot == row.slot, "image \(id) and its content differ in slot")
            return true
        }
    }

    private func readFiles(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        var images = 0
        var failed = 0
        try transaction.scanFiles(from: [0, 0, 0, 0], within: []) { (row) throws(CatalogFailure) in
            if let id = row.image {
                images += 1
                expect(slots[id] != nil, "\(FileRow.name(row.key)) has no image \(id)")
            }
            if row.isFailed {
                failed += 1
                let isListed = try transaction.contains(row.key.storedKey, in: transaction.tables.failed)
                expect(isListed, "\(FileRow.name(row.key)) is not in the list of failures")
            }
            let root = try transaction.root(row.key.root)
            expect(root != nil, "\(FileRow.name(row.key)) has no root")
            return true
        }
        let listed = try transaction.count(of: transaction.tables.failed)
        expect(images == slots.count, "\(images) indexed files, \(slots.count) images")
        expect(failed == listed, "\(failed) failed files, \(listed) in the list of failures")
    }

    private func readFeed(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        let last = try CatalogState(transaction).sequence
        var first: UInt64?
        var count: UInt64 = 0
        try transaction.scan(transaction.tables.events) { (key, value) throws(CatalogFailure) in
            guard let sequence = key.integer(at: 0, as: UInt64.self) else { throw .corrupted("event", "short key") }
            _ = try EventRow.decoded(value.copied, sequence)
            if first == nil { first = sequence }
            count += 1
            return true
        }
        let needed = last &+ 1 &- (first ?? last &+ 1)
        expect(count == needed, "the change feed holds \(count) entries between \(first ?? 0) and \(last)")
        for (name, row) in try transaction.consumers() {
            expect(row.acknowledged <= last, "consumer \(name) is beyond the change feed")
        }
    }

    private func readContents(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        var count = 0
        try transaction.scan(transaction.tables.contents) { (key, value) throws(CatalogFailure) in
            guard let content = SHA256Digest(bytes: key.copied) else { throw .corrupted("content", "short key") }
            let row = try ContentRow(value.copied, content: content)
            let images = imagesOfContent[content] ?? 0
            expect(row.imageCount == images, "content \(content) counts \(row.imageCount) images of \(images)")
            count += 1
            return true
        }
        expect(count == imagesOfContent.count, "\(count) contents, \(imagesOfContent.count) in use")
    }

    private func readSlots(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) {
        var pairs = 0
        try transaction.scan(transaction.tables.duplicates) { (key, value) throws(CatalogFailure) in
            guard let slot = key.integer(at: 0, as: UInt32.self), let number = value.integer(at: 0, as: UInt64.self)
            else { throw .corrupted("dup", "short") }
            let id = ImageID(rawValue: number)
            expect(slots[id]?.rawValue == slot, "slot \(slot) has an image \(id) that is not its own")
            pairs += 1
            return true
        }
        expect(pairs == slots.count, "\(pairs) pairs of slot and image, \(slots.count) images")
        let used = Set(slots.values)
        let stored = try contents.storedCount(transaction)
        expect(stored == used.count, "\(stored) vectors, \(used.count) in use")
        for slot in used {
            let vector = try contents.stored(slot, transaction)
            expect(!vector.isEmpty, "slot \(slot.rawValue) has an empty vector")
            guard contents.whitening != nil else { continue }
            let original = try contents.original(slot, transaction)
            let whitened = try contents.compared(original.floats)
            let similarity = zip(vector, whitened).reduce(0) { $0 + $1.0 * $1.1 }
            expect(similarity > 0.999, "slot \(slot.rawValue) does not hold its vector whitened")
        }
        let originals = try transaction.count(of: transaction.tables.originals)
        let needed = contents.whitening == nil ? 0 : used.count
        expect(originals == needed, "\(originals) vectors before whitening where \(needed) are needed")
    }
}
