internal import Storage

/// The databases of an index inside its environment (README).
struct IndexDatabases: Sendable {
    let meta: Database
    let vectors: Database
    let codes: Database
    let baseLinks: Database
    let upperLinks: Database
    let operations: Database

    init(_ transaction: borrowing WriteTransaction) throws(StorageError) {
        meta = try transaction.openDatabase("meta")
        vectors = try transaction.openDatabase("vec", .integerKey)
        codes = try transaction.openDatabase("code", .integerKey)
        baseLinks = try transaction.openDatabase("adj0", .integerKey)
        upperLinks = try transaction.openDatabase("adjU", .integerKey)
        operations = try transaction.openDatabase("ops", .integerKey)
    }
}
