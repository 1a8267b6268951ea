internal import Platform
internal import Storage
internal import VectorIndex

/// Compares `field` with what the images say that it has to hold, one container after the other.
///
/// - Complexity: memory for one container, and for the numbers of all images
struct FieldAudit {
    /// What differs, one sentence a container.
    func findings(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> [String] {
        let state = try FieldIndexState(transaction)
        var findings: [String] = []
        var containers: Set<UInt64> = []
        for (container, ids) in try imagesByContainer(transaction).sorted(by: { $0.key < $1.key }) {
            containers.insert(container)
            var edits = FieldEdits()
            for (id, position) in ids where id.rawValue <= state.indexedThrough {
                edits.add(position, FieldTokens(try transaction.requiredImage(id).image).keys)
            }
            if try edits.encoded() != stored(container, transaction) {
                findings.append("the records for filters of container \(container) do not agree with its images")
            }
        }
        var last: UInt64?
        try transaction.scan(transaction.tables.fields) { (key, _) throws(CatalogFailure) in
            guard let container = FieldKey.container(of: key) else { throw .corrupted("field", "short key") }
            if container != last, !containers.contains(container) {
                findings.append("there are records for filters of container \(container), which has no images")
            }
            last = container
            return true
        }
        return findings
    }

    /// Where every image stands.
    private func imagesByContainer(
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> [UInt64: [(ImageID, ImagePosition)]] {
        var found: [UInt64: [(ImageID, ImagePosition)]] = [:]
        var last: UInt32?
        try transaction.scan(transaction.tables.duplicates) { (key, value) throws(CatalogFailure) in
            guard let slot = key.integer(at: 0, as: UInt32.self), let number = value.integer(at: 0, as: UInt64.self)
            else { throw .corrupted("dup", "short") }
            let id = ImageID(rawValue: number)
            let position = slot == last ? ImagePosition(id) : ImagePosition(Slot(rawValue: slot))
            last = slot
            found[position.container, default: []].append((id, position))
            return true
        }
        return found
    }

    private func stored(
        _ container: UInt64,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> [[UInt8]: [UInt8]] {
        var records: [[UInt8]: [UInt8]] = [:]
        try transaction.scan(transaction.tables.fields, prefix: FieldKey.prefix(container: container)) {
            (key, value) throws(CatalogFailure) in
            var words = [UInt64](repeating: 0, count: PositionSet.wordCount)
            try FieldContainer.add(value, key: key, to: &words, at: 0)
            records[key.copied] = value.copied
            return true
        }
        return records
    }
}
