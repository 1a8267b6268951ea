internal import CLMDB

/// How a database orders and repeats its keys; fixed when it is made.
package struct DatabaseFlags: OptionSet, Hashable, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Keys are native `UInt32` or `UInt64`, all alike, in numeric order (`MDB_INTEGERKEY`).
    package static let integerKey = DatabaseFlags(rawValue: UInt32(MDB_INTEGERKEY))
    /// A key may have many values, in order (`MDB_DUPSORT`).
    package static let duplicates = DatabaseFlags(rawValue: UInt32(MDB_DUPSORT))
    /// All values of a key have one size (`MDB_DUPFIXED`); with `duplicates`.
    package static let fixedDuplicates = DatabaseFlags(rawValue: UInt32(MDB_DUPFIXED))
    /// Values are native integers in numeric order (`MDB_INTEGERDUP`); with `fixedDuplicates`.
    package static let integerDuplicates = DatabaseFlags(rawValue: UInt32(MDB_INTEGERDUP))
}

/// A named database of an environment: a number, valid in every transaction after the one that opened it has committed,
/// and inside that one. It stays valid through `Environment.reopen`.
package struct Database: Hashable, Sendable {
    package let name: String
    package let flags: DatabaseFlags
    let index: UInt32
}
