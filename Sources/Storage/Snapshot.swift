/// Which state of the store a read transaction sees, and through which map: while two are equal, a value lies at one address.
package struct Snapshot: Hashable, Sendable {
    /// The transaction that wrote it last.
    let transaction: Int
    /// Maps of the file so far: one more after each resizing and reopening.
    let map: Int

    package func isLater(than other: Snapshot) -> Bool { (map, transaction) > (other.map, other.transaction) }
}
