internal import CIndexKernels

/// A query in the forms that kernels read: floats, 15-bit whole numbers, and their two planes of bytes.
final class QueryBuffer {
    private let memory: UnsafeMutableRawPointer
    private let dimension: Int
    /// The unit vector, for reranking.
    let floats: UnsafeMutablePointer<Float>
    /// Its components as the quantizer sees them.
    private let components: UnsafeMutablePointer<Float>
    private let values: UnsafeMutablePointer<Int16>
    private let high: UnsafeMutablePointer<Int8>
    private let low: UnsafeMutablePointer<Int8>
    private(set) var query: CIndexKernels_query
    /// Length of what codes are compared with, and of the rest; 1 and 0 without PCA.
    private(set) var headLength: Float = 1
    private(set) var tailLength: Float = 0

    init(dimension: Int) {
        self.dimension = dimension
        let stride = (dimension + 63) / 64 * 64
        memory = .allocate(byteCount: stride * 12, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: stride * 12)
        floats = memory.bindMemory(to: Float.self, capacity: stride)
        components = (memory + stride * 4).bindMemory(to: Float.self, capacity: stride)
        values = (memory + stride * 8).bindMemory(to: Int16.self, capacity: stride)
        high = (memory + stride * 10).bindMemory(to: Int8.self, capacity: stride)
        low = (memory + stride * 11).bindMemory(to: Int8.self, capacity: stride)
        query = CIndexKernels_query(value: values, high: high, low: low, stride: stride, scale: 0, offset: 0)
    }

    deinit { memory.deallocate() }

    /// Sets a unit vector, to be scored against codes of `quantizer`.
    func set(_ vector: [Float], quantizer: ScalarQuantizer, kernels: DispatchTable) {
        vector.withUnsafeBufferPointer { buffer in
            if let base = buffer.baseAddress { floats.update(from: base, count: dimension) }
        }
        quantizer.components(of: floats, components, kernels)
        var largest: Float = 0
        var squares = 0.0
        _ = CIndexKernels_measure_f32(components, quantizer.componentCount, &largest, &squares)
        headLength = Float(squares.squareRoot())
        tailLength = quantizer.pca == nil ? 0 : Float(max(0, 1 - squares).squareRoot())
        let unit = max(largest, .leastNormalMagnitude) / Float(CINDEXKERNELS_QUERY_LIMIT)
        CIndexKernels_round_f32_i16(components, quantizer.componentCount, unit, values)
        finish(scale: unit * quantizer.scale, quantizer)
    }

    /// Sets the vector that `code` stands for; its products with other codes are exact.
    func set(code: UnsafePointer<UInt8>, quantizer: ScalarQuantizer) {
        for index in 0..<quantizer.componentCount { values[index] = Int16(code[index]) &- Int16(quantizer.zeroPoint) }
        finish(scale: quantizer.scale * quantizer.scale, quantizer)
    }

    private func finish(scale: Float, _ quantizer: ScalarQuantizer) {
        // A quantizer of more components may have been here before.
        for index in quantizer.componentCount..<quantizer.stride { values[index] = 0 }
        let sum = CIndexKernels_split_i16(values, quantizer.stride, high, low)
        query.stride = quantizer.stride
        query.scale = scale
        query.offset = -scale * Float(quantizer.zeroPoint) * Float(sum)
    }
}
