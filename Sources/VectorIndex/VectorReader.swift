internal import CKernels
internal import Storage

/// Reads stored vectors in bulk.
struct VectorReader {
    let databases: IndexDatabases
    let dimension: Int
    let kernels: Kernels

    /// Vectors that are enough to learn a range from.
    private static let sampleCount = 2_000

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
            VectorRow.withHalves(row) { kernels.table.pointee.from_halves($0, dimension, buffer) }
            body(Slot(rawValue: slot), buffer)
            return true
        }
    }

    /// About 2,000 vectors at most, evenly spread over the `total` stored, laid end to end.
    func sample(of total: Int, in transaction: borrowing some Transaction & ~Copyable) throws(IndexError) -> [Float] {
        let step = max(1, total / Self.sampleCount)
        var sample: [Float] = []
        var number = 0
        try forEach(in: transaction) { _, vector in
            if number % step == 0 { sample += UnsafeBufferPointer(start: vector, count: dimension) }
            number += 1
        }
        return sample
    }
}
