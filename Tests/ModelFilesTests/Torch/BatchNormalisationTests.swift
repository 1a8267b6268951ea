import Inference
import Testing

@testable import ModelFiles

/// Batch normalisation behind convolutions, as `vgg16_bn` has it.
struct BatchNormalisationTests {
    /// Convolutions 3 to 2 to 1 with a pool between; the first with normalisation and without bias, the second plain.
    private var fixture: TorchFixture {
        TorchFixture([
            TorchFixture.tensor("features.0.weight", [2, 3, 3, 3], TorchFixture.numbers(54, 0)),
            TorchFixture.tensor("features.1.weight", [2], [2, -1]),
            TorchFixture.tensor("features.1.bias", [2], [0.5, 4]),
            TorchFixture.tensor("features.1.running_mean", [2], [1, -3]),
            TorchFixture.tensor("features.1.running_var", [2], [0.25, 9]),
            TorchFixture.Tensor(
                name: "features.1.num_batches_tracked",
                storage: .init("n", type: "LongStorage", count: 1, bytes: littleEndian(Int64(3))),
                shape: []
            ),
            TorchFixture.tensor("features.4.weight", [1, 2, 3, 3], TorchFixture.numbers(18, 3)),
            TorchFixture.tensor("features.4.bias", [1], [7]),
        ])
    }

    /// gamma / sqrt(variance + epsilon).
    private static let factors: [Double] = [2 / (0.25 + 1e-5).squareRoot(), -1 / (9 + 1e-5).squareRoot()]

    @Test(arguments: TorchForm.allCases) func `it is folded into the convolution before it`(form: TorchForm) throws {
        let imported = try imported(form.bytes(fixture))
        #expect(imported.description.architecture.stages == [[2], [1]])
        let expected = TorchFixture.numbers(54, 0).enumerated().map { Float(Double($1) * Self.factors[$0 / 27]) }
        let first: Double = 0.5 - Self.factors[0]
        let second: Double = 4 + 3 * Self.factors[1]
        #expect(imported.weights.weights[0] == expected)
        #expect(imported.weights.biases[0] == [Float(first), Float(second)])
        #expect(imported.weights.weights[1] == TorchFixture.numbers(18, 3))
        #expect(imported.weights.biases[1] == [7])
    }

    @Test func `safetensors with it are folded alike`() throws {
        var header: [String] = []
        var data: [UInt8] = []
        for tensor in fixture.tensors {
            let end = data.count + tensor.storage.bytes.count
            let type = tensor.storage.type == "LongStorage" ? "I64" : "F32"
            header.append(SafetensorsFixture.entry(tensor.name, type, tensor.shape, data.count, end))
            data += tensor.storage.bytes
        }
        var file = SafetensorsFixture(header: "{\(header.joined(separator: ","))}", dataByteCount: 0)
        file.data = data
        #expect(try imported(file.bytes).digest == imported(fixture.sequence()).digest)
    }

    @Test func `a bias before it is taken into account`() throws {
        var fixture = fixture
        fixture.tensors.append(TorchFixture.tensor("features.0.bias", [2], [3, 5]))
        let first: Double = 2 * Self.factors[0] + 0.5
        let second: Double = 8 * Self.factors[1] + 4
        let biases = try imported(fixture.sequence()).weights.biases[0]
        #expect(biases == [Float(first), Float(second)])
    }

    @Test(arguments: [
        ("features.1.running_var", "features.1.running_variance", "belongs to no plain convolution"),
        ("features.1.running_var", "features.8.running_var", "features.1.running_var"),
        ("features.1.bias", "elsewhere", "features.1.bias"),
        ("features.1.running_mean", "elsewhere", "features.0 lacks"),
        ("features.4.bias", "features.5.bias", "features.4 lacks"),
    ])
    func `an incomplete one is refused by name`(name: String, replacement: String, words: String) throws {
        var fixture = fixture
        for index in fixture.tensors.indices where fixture.tensors[index].name == name {
            fixture.tensors[index].name = replacement
        }
        let error = try #require(throws: ModelFileError.self) { try imported(fixture.sequence()) }
        #expect(error.description.contains(words), "\(error)")
    }

    @Test func `shapes, places and factors that do not fit are refused`() throws {
        var short = fixture
        short.tensors[3] = TorchFixture.tensor("features.1.running_mean", [1], [1])
        var negative = fixture
        negative.tensors[4] = TorchFixture.tensor("features.1.running_var", [2], [0.25, -1])
        var huge = fixture
        huge.tensors[1] = TorchFixture.tensor("features.1.weight", [2], [3e38, 1])
        var far = fixture
        far.tensors[6].name = "features.5.weight"
        far.tensors[7].name = "features.5.bias"
        var lonely = fixture
        lonely.tensors[3].name = "features.7.running_mean"
        for (broken, words) in [
            (short, "features.1.running_mean"), (negative, "features.1"), (huge, "features.1"), (far, "features.5"),
            (lonely, "features."),
        ] {
            let error = try #require(throws: ModelFileError.self) { try imported(broken.sequence()) }
            #expect(error.description.contains(words), "\(error)")
        }
    }
}
