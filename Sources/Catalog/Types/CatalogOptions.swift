internal import Storage
package import VectorIndex

/// Sizes of a collection's store.
package struct CatalogOptions: Sendable {
    /// Address space reserved at first, in bytes; not disk.
    package var mapByteCount = 1 << 40
    /// Most bytes that the store may grow to; beyond them changes throw `.storageFull`.
    package var maximumByteCount = 1 << 44
    /// Rows of `event` that are kept.
    package var eventLimit: UInt64 = 100_000
    /// Thresholds of the index.
    package var index = IndexParameters()

    package init() {}

    var sizes: EnvironmentOptions {
        var sizes = EnvironmentOptions()
        sizes.mapByteCount = mapByteCount
        sizes.maximumMapByteCount = maximumByteCount
        return sizes
    }
}
