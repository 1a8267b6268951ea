internal import CIndexKernels
internal import Storage

/// Reads stored vectors in bulk.
struct VectorReader {
    let databases: IndexDatabases
    let dimension: Int
    let kernels: DispatchTable

    /// Vectors that are enough to learn a codec from.
    private static let sampleCount: UInt32 = 8_192

    /// Calls `body` with every intact vector, by slot.
    func forEach(
        in transaction: borrowing some Transaction & ~Copyable,
        _ body: (Slot, UnsafePointer<Float>) -> Void
    ) throws(IndexError) {
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: dimension)
        defer { buffer.deallocate() }
        try transaction.scan(databases.vectors) { (key, row) throws(IndexError) in
            // A damaged row may hold what is not a number, of which no range can be learnt.
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
                    // A damaged row may hold what is not a number, of which nothing can be learnt.
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
}
