internal import Storage
package import VectorIndex

/// Sizes of a collection's store.
package struct CatalogOptions: Sendable {
    /// Address space reserved at first, in bytes; not disk.
    package var mapByteCount = 1 << 40
    /// Most bytes that the store may grow to; beyond them changes throw `.storageFull`.
    package var maximumByteCount = 1 << 44
    /// Entries of the change feed that are always kept: the newest ones.
    package var eventLimit: UInt64 = 100_000
    /// Entries that are kept for a consumer that is behind; beyond them it is cut off.
    package var feedLimit: UInt64 = 1_000_000
    /// Thresholds of the index.
    package var index = IndexParameters()

    package init() {}

    var feedLimits: FeedLimits { FeedLimits(always: eventLimit, atMost: max(eventLimit, feedLimit)) }

    var sizes: EnvironmentOptions {
        var sizes = EnvironmentOptions()
        sizes.mapByteCount = mapByteCount
        sizes.maximumMapByteCount = maximumByteCount
        return sizes
    }
}
