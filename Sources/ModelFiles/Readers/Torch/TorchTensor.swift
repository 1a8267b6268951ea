/// Number formats of PyTorch's storages.
enum TorchElement: String {
    case float64 = "F64"
    case float32 = "F32"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int64 = "I64"
    case int32 = "I32"
    case int16 = "I16"
    case int8 = "I8"
    case uint8 = "U8"
    case boolean = "BOOL"
    case complex64 = "C64"
    case complex128 = "C128"

    /// Takes the name of a Python class such as `FloatStorage`; nil when no class is called so.
    init?(storageClass name: String) {
        switch name {
        case "DoubleStorage": self = .float64
        case "FloatStorage": self = .float32
        case "HalfStorage": self = .float16
        case "BFloat16Storage": self = .bfloat16
        case "LongStorage": self = .int64
        case "IntStorage": self = .int32
        case "ShortStorage": self = .int16
        case "CharStorage": self = .int8
        case "ByteStorage", "UntypedStorage": self = .uint8
        case "BoolStorage": self = .boolean
        case "ComplexFloatStorage": self = .complex64
        case "ComplexDoubleStorage": self = .complex128
        default: return nil
        }
    }

    /// PyTorch's `dtype`s, which checkpoints mention.
    static let typeNames: Set<String> = [
        "float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool",
    ]

    /// How its numbers become fp32; nil for whole and complex ones.
    var format: FloatFormat? {
        switch self {
        case .float64: .binary64
        case .float32: .binary32
        case .float16: .binary16
        case .bfloat16: .bfloat16
        default: nil
        }
    }

    var byteCount: Int {
        switch self {
        case .int8, .uint8, .boolean: 1
        case .float16, .bfloat16, .int16: 2
        case .float32, .int32: 4
        case .float64, .int64, .complex64: 8
        case .complex128: 16
        }
    }
}

/// A run of numbers that tensors look into.
struct TorchStorage: Equatable {
    /// Names it within the file.
    let key: String
    let element: TorchElement
    /// Numbers, not bytes.
    let count: Int
}

/// A storage, or the part of it that old files name.
struct StorageView {
    /// Its place among the storages.
    let storage: Int
    /// Numbers, not bytes.
    let range: Range<Int>
}

/// A view of a storage by shape and strides.
struct TorchTensor {
    private static let rankLimit = 8

    /// The storage's place among the storages.
    let storage: Int
    let shape: [Int]
    /// Numbers, not bytes, from one index of an axis to the next.
    let strides: [Int]
    /// Product of the shape.
    let count: Int
    /// The storage's numbers from the first that the tensor uses to the last.
    let range: Range<Int>

    /// Checks that every number lies in the storage and that there are not more of them than the storage has.
    ///
    /// - Returns: nil when they do not.
    init?(_ view: StorageView, offset: Int, shape: [Int], strides: [Int]) {
        guard shape.count == strides.count, shape.count <= Self.rankLimit, offset >= 0 else { return nil }
        guard shape.allSatisfy({ $0 >= 0 }), strides.allSatisfy({ $0 >= 0 }) else { return nil }
        var count = 1
        var last = offset
        for (dimension, stride) in zip(shape, strides) {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            let (reach, reachOverflow) = max(0, dimension - 1).multipliedReportingOverflow(by: stride)
            let (sum, sumOverflow) = last.addingReportingOverflow(reach)
            guard !overflow, !reachOverflow, !sumOverflow else { return nil }
            count = product
            last = sum
        }
        let length = view.range.count
        guard count == 0 || (last < length && count <= length) else { return nil }
        storage = view.storage
        self.shape = shape
        self.strides = strides
        self.count = count
        let start = view.range.lowerBound
        range = count == 0 ? start..<start : start + offset..<start + last + 1
    }

    /// Puts the numbers of `range` into the order of the shape, the last axis fastest.
    func gather(_ values: [Float]) -> [Float] {
        guard count > 0 else { return [] }
        // An axis of length 1 is never stepped along; its stride may be anything.
        let axes = zip(shape, strides).filter { $0.0 > 1 }.map { (length: $0.0, stride: $0.1) }
        var expected = 1
        let isContiguous = axes.reversed().allSatisfy { axis in
            defer { expected *= axis.length }
            return axis.stride == expected
        }
        if isContiguous { return values }
        var gathered: [Float] = []
        gathered.reserveCapacity(count)
        var index = [Int](repeating: 0, count: axes.count)
        var offset = 0
        while gathered.count < count {
            gathered.append(values[offset])
            for axis in axes.indices.reversed() {
                index[axis] += 1
                offset += axes[axis].stride
                if index[axis] < axes[axis].length { break }
                offset -= axes[axis].stride * axes[axis].length
                index[axis] = 0
            }
        }
        return gathered
    }
}
