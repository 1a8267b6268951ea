package import Platform
internal import Storage

/// The change feed: an ordered log of what happened to images, for those who follow the collection.
///
/// Every change to an image appends exactly one entry, in the transaction that makes the change, so an entry is there if and only if
/// its change is. A follower either keeps its own place and asks for `changes(after:limit:)`, or registers as a consumer: then its place is
/// stored with the collection, in the same file, and entries that it has not acknowledged are kept for it, up to `CatalogOptions.feedLimit`.
extension Catalog {
    /// Entries that one page holds at most.
    private static let feedPageLimit = 10_000

    /// The number of the newest entry, as of the last commit; 0 before the first. O(1)
    package var lastChange: UInt64 { store.feed.last }

    /// The entries that follow a sequence number, in order.
    ///
    /// - Parameters:
    ///   - sequence: the last number that the caller has seen; 0 for the beginning.
    ///   - limit: entries at most; a page holds no more than 10,000.
    /// - Returns: entries without a hole, none when there is nothing newer; or a gap, after which the caller synchronises anew.
    /// - Throws: `.corrupted` with the name of a damaged entry that is the next one: the caller synchronises anew; `.storage`.
    /// - Complexity: O(log n + limit)
    package func changes(after sequence: UInt64, limit: Int) throws(CatalogError) -> ChangePage {
        try read { (_, transaction) throws(CatalogFailure) in
            let last = try CatalogState(transaction).sequence
            let first = try transaction.firstEvent() ?? last &+ 1
            guard sequence <= last, first &- 1 <= sequence else { return .gap(first: first, last: last) }
            var events: [ChangeEvent] = []
            let limit = min(limit, Self.feedPageLimit)
            guard limit > 0, sequence < last else { return .changes([], last: last) }
            var hole: UInt64?
            try transaction.scan(transaction.tables.events, from: sequence + 1) { (key, value) throws(CatalogFailure) in
                guard let number = key.integer(at: 0, as: UInt64.self) else { throw .corrupted("event", "short key") }
                guard number == sequence &+ 1 &+ UInt64(events.count) else {
                    hole = number
                    return false
                }
                do throws(CatalogFailure) { events.append(try EventRow.decoded(value.copied, number)) } catch {
                    // What lies before a damaged entry can be read; the page that begins with it throws.
                    guard !events.isEmpty else { throw error }
                    return false
                }
                return events.count < limit
            }
            if events.isEmpty { return .gap(first: hole ?? last &+ 1, last: last) }
            return .changes(events, last: last)
        }
    }

    /// Blocks until the newest entry is another than `sequence`, without polling: commits wake it. It is an older one after a backup was
    /// restored; `changes` then answers with a gap.
    ///
    /// - Parameters:
    ///   - sequence: the last number that the caller has seen.
    ///   - deadline: return at this time at the latest.
    /// - Returns: the number of the newest entry, which is `sequence` when the deadline passed; nil once the collection is closed.
    package func waitForChanges(after sequence: UInt64, until deadline: Instant) -> UInt64? {
        store.feed.wait(after: sequence, until: deadline)
    }

    /// Has a closure called with the newest number after every commit that appended entries, and once when the collection is closed.
    ///
    /// The writer thread calls it, after the changes have become durable and searchable: it may hand a signal on, and must not block or
    /// call the catalog, nor hold the last reference to it. It is called until the returned observation is released, and perhaps once more while that happens.
    package func observeChanges(_ body: @escaping @Sendable (UInt64) -> Void) -> ChangeObservation {
        store.feed.observe(body)
    }

    // MARK: Consumers

    /// Registers a consumer, or gives one of this name that is there already, its place unchanged.
    ///
    /// - Parameters:
    ///   - name: 1 to 128 bytes of UTF-8.
    ///   - sequence: where a new consumer begins: it has seen everything up to this number. nil: the newest entry.
    /// - Returns: the consumer as it is then.
    /// - Throws: `.consumerRefused` for a name of another length, a number above the newest entry, or the 65th consumer; `.storageFull`,
    ///   `.storage`.
    @discardableResult
    package func registerConsumer(_ name: String, after sequence: UInt64? = nil) throws(CatalogError) -> FeedConsumer {
        guard let consumer = try submit(.register(name, after: sequence)) else {
            throw .consumerRefused(detail: "\(name) was not registered")
        }
        return consumer
    }

    /// Moves a consumer's place forward: entries up to `sequence` are not kept for it any more. A number below its place changes nothing.
    ///
    /// A consumer that was cut off comes back with the `last` of the gap that it was told, once it has synchronised anew.
    /// - Returns: the consumer as it is then; nil when there is none of this name.
    /// - Throws: `.consumerRefused` for a number above the newest entry; `.storageFull`, `.storage`.
    @discardableResult
    package func acknowledge(_ name: String, through sequence: UInt64) throws(CatalogError) -> FeedConsumer? {
        // Refused here, so that a consumer in error does not undo the changes that are committed with it.
        guard sequence <= store.feed.last else {
            throw .consumerRefused(detail: "\(name) is at \(sequence), beyond the last change \(store.feed.last)")
        }
        return try submit(.acknowledge(name, through: sequence))
    }

    /// Removes a consumer; nothing is kept for it any more.
    ///
    /// - Returns: the consumer as it was; nil when there was none of this name.
    /// - Throws: `.storageFull`, `.storage`.
    @discardableResult
    package func removeConsumer(_ name: String) throws(CatalogError) -> FeedConsumer? {
        try submit(.remove(name))
    }

    /// All consumers, in byte order of their names.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    package func consumers() throws(CatalogError) -> [FeedConsumer] {
        try read { (_, transaction) throws(CatalogFailure) in
            var found: [FeedConsumer] = []
            for (name, row) in try transaction.consumers() { found.append(try transaction.record(of: name, row)) }
            return found
        }
    }

    private func submit(_ change: ConsumerChange) throws(CatalogError) -> FeedConsumer? {
        guard case .consumer(let consumer) = try writer.submit(.consumer(change)) else { return nil }
        return consumer
    }
}
