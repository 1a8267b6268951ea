package import Storage

/// What an index refuses or fails at.
package enum IndexError: Error, Hashable, Sendable, StorageErrorConvertible {
    /// A vector of the wrong length, or a store made for another one.
    case dimension(got: Int, expected: Int)
    /// A component is infinite or not a number.
    case notFinite
    /// All components are zero: the vector has no direction.
    case zeroVector
    /// The slot holds no vector.
    case unknownSlot(Slot)
    /// The stored vector of this slot fails its checksum or has the wrong length.
    case damagedVector(Slot)
    /// A row of the `meta` database cannot be read.
    case damagedFormat(row: String)
    /// The store was written by a later version.
    case unsupportedVersion(Int)
    /// 2^28 slots are in use.
    case full
    /// The store failed.
    case storage(StorageError)

    package init(_ error: StorageError) { self = .storage(error) }
}
