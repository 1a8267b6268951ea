internal import CKernels

/// A query in the forms that kernels read: floats, 15-bit whole numbers, and their two planes of bytes.
final class QueryBuffer {
    private let memory: UnsafeMutableRawPointer
    private let stride: Int
    private let dimension: Int
    /// The unit vector, for rescoring.
    let floats: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Int16>
    private let high: UnsafeMutablePointer<Int8>
    private let low: UnsafeMutablePointer<Int8>
    private(set) var query: CKernels_query

    init(dimension: Int) {
        self.dimension = dimension
        let stride = (dimension + 63) / 64 * 64
        self.stride = stride
        memory = .allocate(byteCount: stride * 8, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: stride * 8)
        floats = memory.bindMemory(to: Float.self, capacity: stride)
        values = (memory + stride * 4).bindMemory(to: Int16.self, capacity: stride)
        high = (memory + stride * 6).bindMemory(to: Int8.self, capacity: stride)
        low = (memory + stride * 7).bindMemory(to: Int8.self, capacity: stride)
        query = CKernels_query(value: values, high: high, low: low, stride: stride, scale: 0, offset: 0)
    }

    deinit { memory.deallocate() }

    /// Sets a unit vector, to be scored against codes of `codec`.
    func set(_ vector: [Float], codec: VectorCodec) {
        var largest: Float = 0
        for index in 0..<dimension {
            floats[index] = vector[index]
            largest = max(largest, abs(vector[index]))
        }
        let unit = largest / Float(CKERNELS_QUERY_LIMIT)
        var sum: Int64 = 0
        for index in 0..<dimension {
            let value = Int16((vector[index] / unit).rounded(.toNearestOrEven))
            put(value, at: index)
            sum += Int64(value)
        }
        query.scale = unit * codec.step
        query.offset = -query.scale * Float(codec.zero) * Float(sum)
    }

    /// Sets the vector that `code` stands for; its products with other codes are exact.
    func set(code: UnsafePointer<UInt8>, codec: VectorCodec) {
        var sum: Int64 = 0
        for index in 0..<dimension {
            let value = Int16(code[index]) - Int16(codec.zero)
            put(value, at: index)
            sum += Int64(value)
        }
        query.scale = codec.step * codec.step
        query.offset = -query.scale * Float(codec.zero) * Float(sum)
    }

    private func put(_ value: Int16, at index: Int) {
        let upper = (value &+ 64) >> 7
        values[index] = value
        high[index] = Int8(truncatingIfNeeded: upper)
        low[index] = Int8(truncatingIfNeeded: value &- upper << 7)
    }
}
