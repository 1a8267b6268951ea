internal import Platform
internal import Storage

/// A copy of a collection on its way out: the bytes of one `data.mdb`, held to a pace.
///
/// While it lasts, the store's file grows by what is written: pages that a reader could still want are not used again. So the
/// copy is bounded: it ends, useless, when the file has grown by half or by 1 GiB, whichever is more. One thread at a time.
package final class CatalogCopy: Sendable {
    /// How fast a copy may go: searches run beside it, on the same disk and the same processor caches.
    package struct Pace: Sendable {
        package var bytesPerSecond: Double
        /// The file may grow by this share of its size while it is copied, or by `growthByteCount` if that is more.
        package var growthShare = 0.5
        package var growthByteCount = 1 << 30

        package init(bytesPerSecond: Double = 200e6) { self.bytesPerSecond = bytesPerSecond }
    }

    private static let pieceByteCount = 256 << 10

    private let environment: Environment
    private let copy: EnvironmentCopy
    private let pace: Pace
    private let start = Instant.now
    private let firstByteCount: Int
    private let copied = Monitor(0)

    init(_ environment: Environment, isCompacting: Bool, pace: Pace) throws(StorageError) {
        self.environment = environment
        self.pace = pace
        firstByteCount = try environment.statistics.usedByteCount
        copy = try EnvironmentCopy(of: environment, isCompacting: isCompacting)
    }

    /// The next bytes, none at the end; blocks as long as the pace asks for.
    ///
    /// - Throws: `.storage`, `.corrupted`: what was copied is of no use.
    package func next() throws(CatalogError) -> [UInt8] {
        do throws(StorageError) {
            let grown = try environment.statistics.usedByteCount - firstByteCount
            guard grown <= max(pace.growthByteCount, Int(pace.growthShare * Double(firstByteCount))) else {
                throw StorageError(
                    code: .interrupted,
                    operation: "copy \(environment.directory): grown by \(grown) bytes"
                )
            }
            let bytes = try copy.read(limit: Self.pieceByteCount)
            let total = copied.withLockNotifyingAll { copied in
                copied += bytes.count
                return copied
            }
            let due = start + Double(total) / pace.bytesPerSecond
            if !bytes.isEmpty, due > .now { sleep(seconds: due - .now) }
            return bytes
        } catch { throw CatalogError(error) }
    }
}

extension Catalog {
    /// Where the collection lies: its directory, whichever generation is current.
    package var directory: String { store.generations.directory }

    /// Begins a copy of everything that is stored: one commit, the last one. A collection that is put together from it, with
    /// nothing but this `data.mdb` in its directory, answers as this one does, without linking or embedding anything again but
    /// what came after the last checkpoint of the graph.
    ///
    /// - Parameters:
    ///   - isCompacting: leave out free pages: smaller, slower, and only for a sound store.
    ///   - pace: how fast it may go.
    /// - Returns: the bytes of `data.mdb`, to be taken piece by piece.
    /// - Throws: `.storage`.
    package func copy(isCompacting: Bool, pace: CatalogCopy.Pace = CatalogCopy.Pace()) throws(CatalogError)
        -> CatalogCopy
    {
        do throws(StorageError) {
            return try CatalogCopy(store.environment, isCompacting: isCompacting, pace: pace)
        } catch { throw CatalogError(error) }
    }
}
