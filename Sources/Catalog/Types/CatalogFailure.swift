internal import Storage
internal import VectorIndex

/// A failure inside the catalog, before callers see it as a `CatalogError`: the writer still has to tell a map to grow
/// and a panic to recover from, from what is the caller's.
enum CatalogFailure: StorageErrorConvertible {
    case storage(StorageError)
    case catalog(CatalogError)

    init(_ error: StorageError) { self = .storage(error) }

    init(_ error: IndexError) {
        self =
            switch error {
            case .storage(let error): .storage(error)
            case .dimension(let got, let expected): .catalog(.wrongDimension(got: got, expected: expected))
            case .unknownSlot(let slot): .corrupted("vector \(slot.rawValue)", "missing")
            case .damagedVector(let slot): .corrupted("vector \(slot.rawValue)", "checksum or length")
            case .damagedFormat(let row): .corrupted("meta \(row)", "unreadable")
            case .unsupportedVersion(let version):
                .catalog(.newerFormat(found: version, supported: Int(CatalogTables.format)))
            case .notFinite: .catalog(.unusableVector(detail: "a component is not a finite number"))
            case .zeroVector: .catalog(.unusableVector(detail: "all components are zero: there is nothing to compare"))
            case .full: .catalog(.storageFull(detail: "the collection holds as many vectors as it can"))
            }
    }

    static func corrupted(_ record: String, _ detail: String) -> CatalogFailure {
        .catalog(.corrupted(record: record, detail: detail))
    }

    /// What storage said; nil for the catalog's own errors.
    var storageCode: StorageError.Code? {
        guard case .storage(let error) = self else { return nil }
        return error.code
    }

    /// Whether one change met it, and others beside it need not fail.
    var isOfOneRequest: Bool {
        switch self {
        case .catalog: true
        case .storage(let error): error.code == .corrupted || error.code == .badSize
        }
    }

    /// For callers.
    var error: CatalogError {
        switch self {
        case .storage(let error): CatalogError(error)
        case .catalog(let error): error
        }
    }
}

extension CatalogError {
    init(_ error: StorageError) {
        self =
            switch error.code {
            case .storageFull, .mapFull: .storageFull(detail: error.description)
            case .corrupted: .corrupted(record: error.operation, detail: error.status?.description ?? "")
            case .inUse: .inUse(path: error.operation)
            default: .storage(detail: error.description)
            }
    }
}

/// Runs storage calls, with their errors as the catalog's failures.
@discardableResult
func storing<R: ~Copyable>(_ body: () throws(StorageError) -> R) throws(CatalogFailure) -> R {
    do throws(StorageError) { return try body() } catch { throw .storage(error) }
}
