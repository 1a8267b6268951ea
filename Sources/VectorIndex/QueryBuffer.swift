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
        var squares = 0.0
        _ = CKernels_measure(vector, dimension, &largest, &squares)
        vector.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { floats.update(from: base, count: dimension) }
        }
        let unit = max(largest, .leastNormalMagnitude) / Float(CKERNELS_QUERY_LIMIT)
        CKernels_round(floats, dimension, unit, values)
        finish(scale: unit * codec.step, codec)
    }

    /// Sets the vector that `code` stands for; its products with other codes are exact.
    func set(code: UnsafePointer<UInt8>, codec: VectorCodec) {
        for index in 0..<dimension { values[index] = Int16(code[index]) &- Int16(codec.zero) }
        finish(scale: codec.step * codec.step, codec)
    }

    private func finish(scale: Float, _ codec: VectorCodec) {
        let sum = CKernels_split(values, dimension, high, low)
        query.scale = scale
        query.offset = -scale * Float(codec.zero) * Float(sum)
    }
}
