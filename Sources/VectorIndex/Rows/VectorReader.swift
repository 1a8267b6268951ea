internal import CIndexKernels
internal import Storage

/// Reads stored vectors, one by one or in bulk.
struct VectorReader {
    let databases: IndexDatabases
    let dimension: Int
    let kernels: DispatchTable

    /// Vectors that are enough to train a quantizer from.
    private static let sampleCount: UInt32 = 8_192

    /// Calls `body` with every intact vector, by slot.
    func forEach(
        in transaction: borrowing some Transaction & ~Copyable,
        _ body: (Slot, UnsafePointer<Float>) -> Void
    ) throws(IndexError) {
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: dimension)
        defer { buffer.deallocate() }
        try transaction.scan(databases.vectors) { (key, row) throws(IndexError) in
            // A damaged row may hold what is not a number, of which no range can be trained.
            guard let slot = key.integer(at: 0, as: UInt32.self), VectorRow.isIntact(row, dimension: dimension) else {
                return true
            }
            VectorRow.withHalves(row) { kernels.table.pointee.convert_f16_f32($0, dimension, buffer) }
            body(Slot(rawValue: slot), buffer)
            return true
        }
    }

    /// Intact vectors, 8,192 at most, of slots evenly spread below `end`, laid end to end.
    func sample(below end: UInt32, in transaction: borrowing some Transaction & ~Copyable) throws(IndexError) -> [Float]
    {
        let step = max(1, end / Self.sampleCount)
        var sample: [Float] = []
        do throws(StorageError) {
            for slot in stride(from: 0, to: end, by: Int(step)) {
                try transaction.withValue(of: slot, in: databases.vectors) { row in
                    // A damaged row may hold what is not a number, of which nothing can be trained.
                    guard VectorRow.isIntact(row, dimension: dimension) else { return }
                    let start = sample.count
                    sample += repeatElement(0, count: dimension)
                    VectorRow.withHalves(row) { halves in
                        sample.withUnsafeMutableBufferPointer { buffer in
                            guard let base = buffer.baseAddress else { return }
                            kernels.table.pointee.convert_f16_f32(halves, dimension, base + start)
                        }
                    }
                }
            }
        } catch { throw .storage(error) }
        return sample
    }

    /// The stored vector of a slot, as binary16 kept it.
    ///
    /// - Throws: `.unknownSlot`, `.damagedVector`, `.storage`.
    func vector(
        _ slot: Slot,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Float] {
        var halves: HalfVector??
        do throws(StorageError) {
            halves = try transaction.withValue(of: slot.rawValue, in: databases.vectors) { row -> HalfVector? in
                guard VectorRow.isIntact(row, dimension: dimension) else { return nil }
                return row.copy(VectorRow.headerByteCount..<row.byteCount).map { HalfVector(bytes: $0) }
            }
        } catch { throw .storage(error) }
        guard let found = halves else { throw .unknownSlot(slot) }
        guard let found else { throw .damagedVector(slot) }
        return found.floats(kernels)
    }

    /// Vectors that the transaction sees, damaged ones among them.
    func count(in transaction: borrowing some Transaction & ~Copyable) throws(IndexError) -> Int {
        do throws(StorageError) { return try transaction.count(of: databases.vectors) } catch { throw .storage(error) }
    }

    /// Whether the row of `slot` has exactly these components.
    func holds(
        _ slot: Slot,
        _ halves: HalfVector,
        _ transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> Bool {
        do throws(StorageError) {
            return try transaction.withValue(of: slot.rawValue, in: databases.vectors) { row in
                guard VectorRow.hasLength(row, dimension: dimension) else { return false }
                return VectorRow.withHalves(row) { halves.equals($0) }
            } ?? false
        } catch { throw .storage(error) }
    }

    /// Slots in use from `first` on, in order, at most `limit`.
    func slots(
        from first: Slot,
        limit: Int,
        in transaction: borrowing some Transaction & ~Copyable
    ) throws(IndexError) -> [Slot] {
        var found: [Slot] = []
        guard limit > 0 else { return found }
        try transaction.scan(databases.vectors, from: first.rawValue) { (key, _) throws(IndexError) in
            guard let number = key.integer(at: 0, as: UInt32.self) else { throw .damagedFormat(row: "vec key") }
            found.append(Slot(rawValue: number))
            return found.count < limit
        }
        return found
    }
}
