internal import Platform
internal import Storage

/// What the writer does to a consumer of the change feed.
enum ConsumerChange: Sendable {
    case register(String, after: UInt64?)
    case acknowledge(String, through: UInt64)
    case remove(String)
}

/// Bounds of the change feed, in entries.
struct FeedLimits: Sendable {
    /// The newest entries, which are kept for everybody.
    var always: UInt64
    /// Entries that are kept for the slowest consumer.
    var atMost: UInt64
}

/// The change feed as a transaction extends and trims it.
extension ChangeBatch {
    /// Entries that a transaction trims beyond twice those that it appended: after a slow consumer has caught up, the rest goes step by
    /// step, so that no commit becomes long.
    private static let trimmingStep: UInt64 = 512

    /// Appends an entry.
    ///
    /// - Returns: its sequence number.
    mutating func record(
        _ operation: ChangeEvent.Operation,
        _ image: ImageID
    ) throws(CatalogFailure) -> UInt64 {
        state.sequence += 1
        let event = ChangeEvent(sequence: state.sequence, operation: operation, image: image, time: now)
        try transaction.append(event.sequence, EventRow.encoded(event), in: transaction.tables.events)
        return event.sequence
    }

    /// Deletes entries that nobody needs: the newest `limits.always` stay, and those that a consumer has not acknowledged, as far as they
    /// are among the newest `limits.atMost`. More than that cut the slowest consumer off.
    ///
    /// It deletes more than the transaction appended, while there is something to delete, so the bound holds after every commit.
    /// - Parameter appended: entries that the transaction appended.
    /// - Throws: `.storage`.
    /// - Complexity: O(entries deleted + consumers)
    func trimFeed(appended: UInt64) throws(CatalogFailure) {
        guard let first = try transaction.firstEvent() else { return }
        var end = state.sequence - min(state.sequence, limits.always)
        try transaction.scan(transaction.tables.consumers) { (key, value) throws(CatalogFailure) in
            // A damaged place holds nothing back: one record must not keep every change from being stored.
            guard let row = try? ConsumerRow(value.copied, key: key.copied) else { return true }
            // A consumer that is cut off already has to synchronise anew, so nothing is kept for it.
            if row.acknowledged >= first &- 1 { end = min(end, row.acknowledged) }
            return true
        }
        end = max(end, state.sequence - min(state.sequence, limits.atMost))
        guard end >= first else { return }
        try transaction.deleteEvents(through: end, limit: 2 * appended + Self.trimmingStep)
    }

    mutating func apply(_ change: ConsumerChange) throws(CatalogFailure) -> FeedConsumer? {
        switch change {
        case .register(let name, let sequence):
            guard 1...ConsumerRow.longestName ~= name.utf8.count else {
                throw .catalog(.consumerRefused(detail: "a name has 1 to \(ConsumerRow.longestName) bytes"))
            }
            if let known = try transaction.consumer(name) { return try transaction.record(of: name, known) }
            guard try transaction.count(of: transaction.tables.consumers) < ConsumerRow.maximumCount else {
                throw .catalog(.consumerRefused(detail: "there are \(ConsumerRow.maximumCount) consumers already"))
            }
            return try place(name, sequence ?? state.sequence)
        case .acknowledge(let name, let sequence):
            guard 1...ConsumerRow.longestName ~= name.utf8.count else { return nil }
            guard let known = try transaction.consumer(name) else { return nil }
            guard sequence > known.acknowledged else { return try transaction.record(of: name, known) }
            return try place(name, sequence)
        case .remove(let name):
            let key = Array(name.utf8)
            guard 1...ConsumerRow.longestName ~= key.count,
                try transaction.contains(key, in: transaction.tables.consumers)
            else { return nil }
            // A damaged one can be removed: it has no place then.
            let known = (try? transaction.consumer(name)) ?? ConsumerRow(acknowledged: 0, time: now)
            let record = try transaction.record(of: name, known)
            try transaction.delete(key, in: transaction.tables.consumers)
            return record
        }
    }

    private func place(_ name: String, _ sequence: UInt64) throws(CatalogFailure) -> FeedConsumer {
        guard sequence <= state.sequence else {
            throw .catalog(
                .consumerRefused(detail: "\(name) is at \(sequence), beyond the last change \(state.sequence)")
            )
        }
        let row = ConsumerRow(acknowledged: sequence, time: now)
        let key = Array(name.utf8)
        try transaction.put(key, row.encoded(key), in: transaction.tables.consumers)
        return try transaction.record(of: name, row)
    }
}

extension CatalogTransaction where Base == WriteTransaction {
    /// Deletes the oldest entries of the feed up to a number, at most `limit`.
    fileprivate func deleteEvents(through end: UInt64, limit: UInt64) throws(CatalogFailure) {
        do throws(StorageError) {
            try storage.withCursor(in: tables.events) { (cursor: inout Cursor) throws(StorageError) in
                var count: UInt64 = 0
                var isThere = try cursor.moveToFirst()
                while isThere, count < limit {
                    let number = try cursor.withCurrent { key, _ in key.integer(at: 0, as: UInt64.self) }
                    guard let number = number ?? nil, number <= end else { return }
                    try cursor.delete()
                    count += 1
                    isThere = try cursor.moveToNext()
                }
            }
        } catch { throw .storage(error) }
    }
}
