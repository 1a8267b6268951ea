package import Filters
internal import Platform
internal import Storage
internal import VectorIndex

/// A page of the images that match a filter.
package struct FilteredImages: Sendable {
    /// In order of id.
    package var images: [ImageRecord]
    /// Images that match, on all pages.
    package var total: Int

    package init(images: [ImageRecord], total: Int) {
        self.images = images
        self.total = total
    }
}

/// Lists and removals by filter.
extension Catalog {
    /// Images that one transaction of a removal looks at.
    private static let removalCount = 256

    /// Images that match, with ids above `cursor`, in order of id.
    ///
    /// - Throws: `.corrupted`, `.storage`.
    /// - Complexity: the filter, and O(limit * images / matches) or O(matches), whichever is less
    package func images(
        matching filter: Filter,
        after cursor: ImageID?,
        limit: Int
    ) throws(CatalogError) -> FilteredImages {
        try read { (_, transaction) throws(CatalogFailure) in
            let matches = try FilterMatches(filter, transaction)
            var page = FilteredImages(images: [], total: matches.count)
            let (first, overflow) = (cursor?.rawValue ?? 0).addingReportingOverflow(1)
            guard limit > 0, !overflow, matches.count > 0 else { return page }
            let stored = try transaction.count(of: transaction.tables.images)
            // Few matches are put in order; a scan of all images soon meets many.
            let scanned = stored.multipliedReportingOverflow(by: min(limit, matches.count)).partialValue / matches.count
            if matches.count <= scanned {
                for id in try matches.ids(transaction).drop(while: { $0.rawValue < first }).prefix(limit) {
                    page.images.append(try transaction.requiredImage(id).image)
                }
                return page
            }
            try transaction.scan(transaction.tables.images, from: first) { (key, value) throws(CatalogFailure) in
                guard let number = key.integer(at: 0, as: UInt64.self), let slot = value.integer(at: 4, as: UInt32.self)
                else { throw .corrupted("image", "short") }
                let id = ImageID(rawValue: number)
                if try matches.contains(id, at: Slot(rawValue: slot), transaction) {
                    page.images.append(try ImageRow(value.copied, id: id).image)
                }
                return page.images.count < limit
            }
            return page
        }
    }

    /// Removes the images that match, as a user does: their files stay out until their bytes change.
    ///
    /// In bounded transactions; what matches when the call begins is removed, unless a change meanwhile makes it match no more.
    /// - Returns: how many were removed.
    /// - Throws: what was removed before stays removed.
    package func excludeImages(matching filter: Filter) throws(CatalogError) -> Int {
        let ids = try read { (_, transaction) throws(CatalogFailure) in
            try FilterMatches(filter, transaction).ids(transaction)
        }
        var count = 0
        for start in stride(from: 0, to: ids.count, by: Self.removalCount) {
            let piece = Array(ids[start..<min(ids.count, start + Self.removalCount)])
            guard case .count(let removed) = try writer.submit(.exclude(piece, filter)) else { continue }
            count += removed
        }
        return count
    }
}
