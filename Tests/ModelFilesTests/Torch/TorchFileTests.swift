import Inference
import Testing

@testable import ModelFiles

/// Both forms of a fixture's file.
enum TorchForm: CaseIterable {
    case archive, sequence

    func bytes(_ fixture: TorchFixture) -> [UInt8] {
        self == .archive ? fixture.archive().bytes : fixture.sequence()
    }
}

/// Reads bytes in memory as the format that they begin like.
func imported(_ bytes: [UInt8]) throws(ModelFileError) -> ImportedWeights {
    try ImportedWeights(WeightBytes(bytes, name: "w.pth"), preprocessing: nil, defaultHead: .max)
}

struct TorchFileTests {
    @Test func `the checksum of archives is CRC-32, in one piece or in several`() {
        // The check value that catalogues of CRCs give for CRC-32/ISO-HDLC.
        #expect(ZipArchive.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
        let start = ZipArchive.checksum(Array("1234".utf8))
        #expect(ZipArchive.checksum(Array("56789".utf8), continuing: start) == 0xCBF4_3926)
        #expect(ZipArchive.checksum([]) == 0)
    }

    private let valid = TorchFixture.valid

    private func expectValid(_ imported: ImportedWeights) {
        #expect(imported.description.architecture.stages == [[2], [4]])
        #expect(imported.description.preprocessing == .torchvision)
        #expect(imported.weights.weights == [TorchFixture.numbers(54, 0), TorchFixture.numbers(72, 2)])
        #expect(imported.weights.biases == [TorchFixture.numbers(2, 1), TorchFixture.numbers(4, 3)])
    }

    @Test(arguments: TorchForm.allCases) func `a state dict becomes a network`(form: TorchForm) throws {
        expectValid(try imported(form.bytes(valid)))
    }

    @Test func `64-bit directories and comments are read`() throws {
        var archive = valid.archive()
        archive.isWide = true
        expectValid(try imported(archive.bytes))
        archive.comment = Array("PK\u{5}\u{6} is in this comment, which is longer than an end record".utf8)
        expectValid(try imported(archive.bytes))
    }

    @Test(arguments: TorchForm.allCases, [["state_dict"], ["model"], ["model_state_dict"], ["net", "state_dict"]])
    func `a checkpoint's state dict is found`(form: TorchForm, wrappers: [String]) throws {
        var fixture = valid
        fixture.wrappers = wrappers
        expectValid(try imported(form.bytes(fixture)))
    }

    @Test(arguments: ["module.", "module.module.", "backbone."])
    func `a common prefix is left out`(prefix: String) throws {
        var fixture = valid
        for index in fixture.tensors.indices { fixture.tensors[index].name = prefix + fixture.tensors[index].name }
        expectValid(try imported(fixture.sequence()))
        fixture.tensors.append(valid.tensors[0])
        #expect(throws: ModelFileError.self) { try imported(fixture.sequence()) }
    }

    @Test(arguments: TorchForm.allCases)
    func `transposed tensors and views of one storage are read in the order of their shape`(form: TorchForm) throws {
        var fixture = valid
        // All numbers in one storage; the first weight stored as [height, width, output, input].
        let weight = TorchFixture.numbers(54, 0)
        var flat: [Float] = [9, 9, 9]
        for tap in 0..<9 { for channel in 0..<6 { flat.append(weight[channel * 9 + tap]) } }
        flat += TorchFixture.numbers(2, 1) + TorchFixture.numbers(72, 2) + TorchFixture.numbers(4, 3)
        flat += [.nan, .nan, .nan, .nan]
        let storage = TorchFixture.Storage("flat", flat)
        for (index, offset) in [3, 57, 59, 131, 135].enumerated() {
            fixture.tensors[index].storage = storage
            fixture.tensors[index].offset = offset
        }
        fixture.tensors[0].strides = [3, 1, 18, 6]
        expectValid(try imported(form.bytes(fixture)))
    }

    @Test func `old views into a storage are read`() throws {
        var fixture = valid
        fixture.tensors[1].storage = TorchFixture.Storage("big", [7, 7] + TorchFixture.numbers(2, 1) + [7])
        fixture.tensors[1].view = (offset: 2, count: 2)
        expectValid(try imported(fixture.sequence()))
    }

    @Test func `an axis of length 1 may have any stride`() throws {
        let tensor = TorchFixture.Tensor(
            name: "features.0.weight",
            storage: .init("w", TorchFixture.numbers(27, 0)),
            shape: [1, 3, 3, 3],
            strides: [Int.max, 1, 9, 3]
        )
        let fixture = TorchFixture([tensor, TorchFixture.tensor("features.0.bias", [1], [1])])
        let weights = try imported(fixture.sequence()).weights.weights[0]
        let stored = TorchFixture.numbers(27, 0)
        let expected: [Float] = (0..<27).map { (index: Int) -> Float in stored[index / 9 + index % 9 * 3] }
        #expect(weights == expected)
    }

    private static let widths: [(type: String, number: [UInt8], value: Float)] = [
        ("HalfStorage", littleEndian(UInt16(0x3C00)), 1), ("BFloat16Storage", littleEndian(UInt16(0xC000)), -2),
        ("DoubleStorage", littleEndian(0.1.bitPattern), 0.1), ("FloatStorage", littleEndian(Float(3).bitPattern), 3),
    ]

    @Test(arguments: widths)
    func `every width of number becomes fp32`(type: String, number: [UInt8], value: Float) throws {
        var fixture = TorchFixture([
            TorchFixture.tensor("features.0.weight", [1, 3, 3, 3], TorchFixture.numbers(27, 0)),
            TorchFixture.tensor("features.0.bias", [1], [0]),
        ])
        fixture.tensors[1].storage = .init("b", type: type, count: 1, bytes: number)
        #expect(try imported(fixture.sequence()).weights.biases == [[value]])
        fixture.byteOrder = "little"
        #expect(try imported(fixture.archive().bytes).weights.biases == [[value]])
        fixture.byteOrder = "big"
        fixture.tensors[1].storage.bytes.reverse()
        #expect(try imported(fixture.archive().bytes).weights.biases == [[value]])
        fixture.byteOrder = "middle"
        #expect(throws: ModelFileError.self) { try imported(fixture.archive().bytes) }
    }

    @Test func `parameters and dictionaries of Python 2 are read`() throws {
        // OrderedDict([[name, Parameter(tensor)], ...]) with the state that PyTorch 0.3 gave a parameter.
        var writer = PickleWriter()
        writer.global("collections", "OrderedDict")
        writer.op(.emptyList)
        writer.op(.mark)
        for tensor in valid.tensors {
            writer.op(.emptyList)
            writer.op(.mark)
            writer.op(.string1, [UInt8(tensor.name.utf8.count)] + Array(tensor.name.utf8))
            writer.global("torch.nn.parameter", "Parameter")
            writer.tensor(tensor, isOld: true)
            writer.op(.tuple1)
            writer.op(.newObject)
            writer.op(.newTrue)
            writer.op(.newFalse)
            writer.op(.none)
            writer.op(.tuple3)
            writer.op(.build)
            writer.op(.appends)
        }
        writer.op(.appends)
        writer.op(.tuple1)
        writer.op(.reduce)
        writer.op(.stop)
        expectValid(try imported(valid.sequence(pickle: writer.bytes)))
    }

    @Test func `classifiers are not read`() throws {
        var archive = valid.archive()
        archive.entries[5].checksum ^= 1
        expectValid(try imported(archive.bytes))
    }
}
