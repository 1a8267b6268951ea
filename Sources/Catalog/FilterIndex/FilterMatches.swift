internal import Filters
internal import Platform
internal import Storage
internal import VectorIndex

/// The images that match a filter, as one transaction sees them.
struct FilterMatches {
    private let positions: PositionSet
    let count: Int

    /// - Complexity: O(records of `field` that the filter names) and, for what they cannot decide, O(images in question).
    init(
        _ filter: Filter,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) {
        let plan = try FilterPlan(transaction)
        let bounds = try plan.bounds(filter, transaction)
        var subjects = FilterSubjects()
        var positions = bounds.must
        try bounds.undecided.forEach { (position) throws(CatalogFailure) in
            let id = try transaction.image(at: position)
            if try subjects.matches(filter, transaction.requiredImage(id), transaction) {
                positions.insert(position)
            }
        }
        try Self.addUnindexed(filter, &subjects, to: &positions, transaction)
        self.positions = positions
        count = positions.count
    }

    /// Images that are not in `field` yet, because the collection is older than it.
    private static func addUnindexed(
        _ filter: Filter,
        _ subjects: inout FilterSubjects,
        to positions: inout PositionSet,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) {
        let state = try FieldIndexState(transaction)
        guard !state.isComplete else { return }
        var found: [ImageRow] = []
        var questions = subjects
        try transaction.scanImages(from: state.indexedThrough + 1) { (row) throws(CatalogFailure) in
            if try questions.matches(filter, row, transaction) { found.append(row) }
            return true
        }
        subjects = questions
        for row in found { positions.insert(try transaction.position(of: row.image.id, at: row.slot)) }
    }

    /// Slots with an image that matches.
    func slots(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> SlotSet {
        var slots = positions.slots
        try positions.forEach(from: ImagePosition.firstImageContainer) { (position) throws(CatalogFailure) in
            guard let image = position.image else { return }
            slots.insert(try transaction.slot(of: image))
        }
        return slots
    }

    func contains(
        _ id: ImageID,
        at slot: Slot,
        _ transaction: borrowing CatalogReadTransaction
    ) throws(CatalogFailure) -> Bool {
        if positions.contains(ImagePosition(id)) { return true }
        guard positions.contains(ImagePosition(slot)) else { return false }
        return try transaction.images(of: slot, limit: 1).first == id
    }

    /// Their numbers, in order.
    func ids(_ transaction: borrowing CatalogReadTransaction) throws(CatalogFailure) -> [ImageID] {
        var ids: [ImageID] = []
        ids.reserveCapacity(count)
        try positions.forEach { (position) throws(CatalogFailure) in
            ids.append(try transaction.image(at: position))
        }
        return ids.sorted()
    }
}

/// Asks stored images whether they match; reads each root's path once.
struct FilterSubjects {
    private struct Subject: FilterSubject {
        let image: ImageRecord
        let root: [UInt8]
        let documentFields: [DocumentField]

        var absolutePath: FilterValue {
            FilterValue(string: RelativePath(bytes: root).asPrefix + image.key.path.bytes)
        }

        func value(of field: BuiltInField) -> FilterValue {
            switch field {
            case .path: FilterValue(string: image.key.path.bytes)
            case .root: FilterValue(string: root)
            case .format: FilterValue(string: Array(image.format.utf8))
            case .width: FilterValue(Double(image.width))
            case .height: FilterValue(Double(image.height))
            case .bytes: FilterValue(Double(image.byteCount))
            case .modified: FilterValue(string: Timestamp.bytes(image.modified))
            case .added: FilterValue(string: Timestamp.bytes(image.added))
            }
        }
    }

    private var roots: [RootID: [UInt8]] = [:]

    mutating func matches(
        _ filter: Filter,
        _ row: ImageRow,
        _ transaction: borrowing CatalogTransaction<some Transaction & ~Copyable>
    ) throws(CatalogFailure) -> Bool {
        let id = row.image.key.root
        if roots[id] == nil { roots[id] = try transaction.root(id)?.path.bytes }
        let root = roots[id] ?? []
        // Reading a document takes longer than all the rest.
        let members = filter.isAboutDocuments ? DocumentField.fields(of: row.image.document) : []
        return filter.matches(Subject(image: row.image, root: root, documentFields: members))
    }
}
