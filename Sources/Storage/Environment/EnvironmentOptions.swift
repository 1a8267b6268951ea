/// Sizes of an environment.
package struct EnvironmentOptions: Sendable {
    /// Address space to reserve, not disk: the map is sparse. Halved while the system refuses it.
    package var mapByteCount = 1 << 40
    /// `Environment.grow` stops here.
    package var maximumMapByteCount = 1 << 44
    /// Named databases at most.
    package var databaseLimit: UInt32 = 32
    /// Concurrent read transactions at most.
    package var readerLimit: UInt32 = 1024

    package init() {}
}

/// What an environment holds and reserves.
package struct EnvironmentStatistics: Hashable, Sendable {
    /// Pages in use up to the last one, in bytes: what the file needs on disk.
    package var usedByteCount: Int
    /// Reserved address space.
    package var mapByteCount: Int
    /// The last committed transaction.
    package var lastTransaction: UInt64
}
