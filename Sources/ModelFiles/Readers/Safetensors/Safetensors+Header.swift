extension Safetensors {
    /// The JSON object as written.
    struct Header: Decodable {
        struct Entry: Decodable {
            let elementType: String
            let shape: [Int]
            let offsets: [Int]

            enum CodingKeys: String, CodingKey {
                case elementType = "dtype"
                case shape
                case offsets = "data_offsets"
            }
        }

        struct Name: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        var metadata: [String: String] = [:]
        var entries: [String: Entry] = [:]

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Name.self)
            for name in container.allKeys {
                if name.stringValue == "__metadata__" {
                    metadata = try container.decode([String: String].self, forKey: name)
                } else {
                    entries[name.stringValue] = try container.decode(Entry.self, forKey: name)
                }
            }
        }
    }

    /// Bits a number of each format that the specification names; shapes are checked for these.
    private static let bitCounts: [String: Int] = [
        "BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "I16": 16, "U16": 16, "F16": 16, "BF16": 16,
        "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
    ]

    /// Checks every tensor's type, shape and range, and that the ranges cover the data without hole or overlap.
    static func check(
        _ entries: [String: Header.Entry],
        dataByteCount: Int,
        file: String
    ) throws(ModelFileError) -> [String: Tensor] {
        var tensors: [String: Tensor] = [:]
        for (name, entry) in entries {
            guard let bits = bitCounts[entry.elementType] else {
                throw .malformedWeights(file: file, detail: "tensor \(name) has the unknown type \(entry.elementType)")
            }
            guard let byteCount = byteCount(of: entry.shape, bits: bits) else {
                throw .malformedWeights(file: file, detail: "tensor \(name) has the impossible shape \(entry.shape)")
            }
            guard entry.offsets.count == 2, entry.offsets[0] >= 0, entry.offsets[0] <= entry.offsets[1],
                entry.offsets[1] <= dataByteCount
            else {
                throw .malformedWeights(
                    file: file,
                    detail: "tensor \(name) at \(entry.offsets) lies outside of \(dataByteCount) bytes of data"
                )
            }
            let range = entry.offsets[0]..<entry.offsets[1]
            guard range.count == byteCount else {
                throw .malformedWeights(
                    file: file,
                    detail: "tensor \(name) of shape \(entry.shape) needs \(byteCount) bytes and has \(range.count)"
                )
            }
            tensors[name] = Tensor(elementType: entry.elementType, shape: entry.shape, range: range)
        }
        var end = 0
        let ordered = tensors.sorted { a, b in
            (a.value.range.lowerBound, a.value.range.upperBound) < (b.value.range.lowerBound, b.value.range.upperBound)
        }
        for (name, tensor) in ordered {
            guard tensor.range.lowerBound == end else {
                let fault = tensor.range.lowerBound < end ? "overlaps its neighbour" : "leaves a hole before it"
                throw .malformedWeights(file: file, detail: "tensor \(name) \(fault)")
            }
            end = tensor.range.upperBound
        }
        guard end == dataByteCount else {
            throw .malformedWeights(file: file, detail: "\(dataByteCount - end) bytes belong to no tensor")
        }
        return tensors
    }

    /// Bytes of a tensor, or nil when a dimension is negative or the product does not fit.
    private static func byteCount(of shape: [Int], bits: Int) -> Int? {
        var count = bits / 8
        for dimension in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: dimension)
            guard dimension >= 0, !overflow else { return nil }
            count = product
        }
        return count
    }

    /// What is wrong with the JSON, and where.
    static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let context =
            switch error {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
                .dataCorrupted(let context):
                context
            @unknown default:
                DecodingError.Context(codingPath: [], debugDescription: "unreadable")
            }
        let place = context.codingPath.map(\.stringValue).joined(separator: ".")
        return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
    }
}
