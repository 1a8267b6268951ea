/// What can go wrong in a collection.
package enum CatalogError: Error, Sendable, CustomStringConvertible {
    /// Stored bytes break the format; names the record.
    case corrupted(record: String, detail: String)
    /// The collection's vectors come from another model, head or preprocessing.
    case fingerprintMismatch(stored: String, expected: String)
    /// Another process has the collection open.
    case inUse(path: String)
    /// A newer program wrote it.
    case newerFormat(found: Int, supported: Int)
    /// The disk is full or refuses writes: searches go on, the change was not stored; try again later.
    case storageFull(detail: String)
    /// Any other storage failure; the change was not stored.
    case storage(detail: String)
    case wrongDimension(got: Int, expected: Int)
    /// A query that has no direction: all zero, or not finite.
    case unusableVector(detail: String)
    /// The change feed knows no such place, or takes no such name.
    case consumerRefused(detail: String)
    /// No whitening can be learned from what the collection holds.
    case whiteningRefused(detail: String)

    package var description: String {
        switch self {
        case .corrupted(let record, let detail): "stored record \(record) is damaged: \(detail)"
        case .fingerprintMismatch(let stored, let expected):
            "the collection holds vectors of \(stored), not of \(expected)"
        case .inUse(let path): "another process uses \(path)"
        case .newerFormat(let found, let supported):
            "the collection has format \(found); this program reads up to \(supported)"
        case .storageFull(let detail): "no room to store: \(detail)"
        case .storage(let detail): detail
        case .wrongDimension(let got, let expected): "a vector of \(got) numbers where \(expected) are needed"
        case .unusableVector(let detail): "the vector cannot be searched for: \(detail)"
        case .consumerRefused(let detail): "the change feed refused a consumer: \(detail)"
        case .whiteningRefused(let detail): "no whitening can be learned: \(detail)"
        }
    }
}
