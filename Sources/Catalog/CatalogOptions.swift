internal import Storage

/// Sizes of a collection's store.
package struct CatalogOptions: Sendable {
    /// Address space reserved at first, in bytes; not disk.
    package var mapByteCount = 1 << 40
    /// Most bytes that the store may grow to; beyond them changes throw `.storageFull`.
    package var maximumByteCount = 1 << 44
    /// Rows of `event` that are kept.
    package var eventLimit: UInt64 = 100_000

    package init() {}

    var sizes: EnvironmentOptions {
        var sizes = EnvironmentOptions()
        sizes.mapByteCount = mapByteCount
        sizes.maximumMapByteCount = maximumByteCount
        return sizes
    }
}
