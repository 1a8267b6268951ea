/// An array of floating-point numbers in an HDF5 file; its numbers are read on demand.
struct HDF5Dataset {
    private enum Place {
        /// Within the object's header.
        case compact([UInt8])
        /// In one piece of the file.
        case contiguous(Range<Int>)
    }

    /// The path in the file, for messages.
    let name: String
    /// Lengths of the axes; the last one is fastest.
    let shape: [Int]
    private let type: HDF5FloatType
    private let place: Place

    /// Checks an object's type, shape and place; its bytes may belong to nothing else.
    ///
    /// - Throws: `.malformedWeights` naming the dataset and what of it is wrong or not read.
    init(_ hdf5: inout HDF5File, _ header: HDF5ObjectHeader) throws(ModelFileError) {
        name = header.name
        guard var dataspace = try header.only(.dataspace), var datatype = try header.only(.datatype),
            var layout = try header.only(.layout)
        else { throw header.fault("is no dataset") }
        guard !header.has(.filters) else {
            throw header.fault("is compressed, as Keras never does: save the weights again without compression")
        }
        guard !header.has(.externalFiles) else { throw header.fault("lies in other files") }
        type = try HDF5FloatType(&datatype)
        shape = try Self.shape(&dataspace)
        guard let byteCount = Self.byteCount(shape, type) else {
            throw header.fault("has the impossible shape \(shape)")
        }
        place = try Self.place(&hdf5, &layout, header)
        let found =
            switch place {
            case .compact(let bytes): bytes.count
            case .contiguous(let range): range.count
            }
        guard found == byteCount else {
            throw header.fault("of shape \(shape) needs \(byteCount) bytes and has \(found)")
        }
    }

    /// Reads the numbers.
    ///
    /// - Throws: `.malformedWeights` naming the dataset when one is not finite in fp32.
    func floats(_ bytes: WeightBytes) throws(ModelFileError) -> [Float] {
        let values =
            switch place {
            case .compact(let content): type.floats(content)
            case .contiguous(let range): type.floats(try bytes.read(range))
            }
        guard values.allSatisfy(\.isFinite) else {
            throw .malformedWeights(file: bytes.file, detail: "\(name) holds NaN, infinity or a number beyond fp32")
        }
        return values
    }

    private static func shape(_ fields: inout HDF5Fields) throws(ModelFileError) -> [Int] {
        let version = try fields.version(1...2)
        let rank = try fields.integer(1)
        try fields.skip(1)
        if version == 1 {
            try fields.skip(5)
        } else {
            // 0 is one number and 1 an array; 2 is neither.
            guard try fields.byte() < 2 else { throw fields.fault("has no numbers") }
        }
        var shape: [Int] = []
        for _ in 0..<rank { shape.append(try fields.integer(8)) }
        return shape
    }

    private static func place(
        _ hdf5: inout HDF5File,
        _ fields: inout HDF5Fields,
        _ header: HDF5ObjectHeader
    ) throws(ModelFileError) -> Place {
        _ = try fields.version(3...4)
        switch try fields.byte() {
        case 0:
            return .compact(try fields.bytes(try fields.integer(2)))
        case 1:
            guard let address = try fields.address() else { throw header.fault("was never written") }
            let count = try fields.integer(8)
            return .contiguous(try hdf5.claim(address, count, "the data of \(header.name)"))
        case 2:
            throw header.fault("is stored in chunks, as Keras never does: save the weights again without chunks")
        case let other:
            throw header.fault("is stored in the unknown way \(other)")
        }
    }

    /// Bytes of a whole array, or nil when the product does not fit.
    private static func byteCount(_ shape: [Int], _ type: HDF5FloatType) -> Int? {
        var count = type.byteCount
        for length in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: length)
            guard !overflow else { return nil }
            count = product
        }
        return count
    }
}

/// The numbers of a dataset: IEEE 754 binary16, binary32 or binary64 in either byte order; all become fp32.
struct HDF5FloatType: Equatable {
    private let format: FloatFormat
    private let isBigEndian: Bool

    var byteCount: Int { format.byteCount }

    /// Reads a datatype message.
    init(_ fields: inout HDF5Fields) throws(ModelFileError) {
        let head = try fields.byte()
        guard (1...5).contains(head >> 4) else { throw fields.fault("has version \(head >> 4), which is not read") }
        let bits = try fields.unsigned(3)
        let byteCount = try fields.integer(4)
        guard head & 15 == 1 else {
            throw fields.fault("is of class \(head & 15) with \(byteCount) bytes: no floating-point numbers")
        }
        isBigEndian = bits & 1 != 0
        // First bit and number of bits of the whole, of the exponent, of the mantissa; the exponent's bias.
        let found = [
            try fields.integer(2), try fields.integer(2), try fields.integer(1), try fields.integer(1),
            try fields.integer(1), try fields.integer(1), try fields.integer(4),
        ]
        let known: (format: FloatFormat, fields: [Int])? =
            switch byteCount {
            case 2: (.binary16, [0, 16, 10, 5, 0, 10, 15])
            case 4: (.binary32, [0, 32, 23, 8, 0, 23, 127])
            case 8: (.binary64, [0, 64, 52, 11, 0, 52, 1023])
            default: nil
            }
        // Besides the byte order: padding, a mantissa whose first bit is implied, the sign's place.
        guard let known, found == known.fields, bits & 0x40 == 0, bits >> 4 & 3 == 2,
            bits >> 8 == UInt64(8 * byteCount - 1)
        else {
            throw fields.fault("describes no number format of 16, 32 or 64 bits of IEEE 754")
        }
        format = known.format
    }

    /// Converts whole numbers' bytes; what fp32 cannot hold becomes infinity.
    func floats(_ bytes: [UInt8]) -> [Float] { format.floats(bytes, isBigEndian: isBigEndian) }
}
