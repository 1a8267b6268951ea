import CShaders
import Inference
import Platform
import Testing

@testable import InferenceVulkan

/// How networks are laid out, on devices that no test machine has.
struct ComputeGraphTests {
    /// A large GPU: 48 KiB of shared memory, subgroups of 32.
    private static var large: GraphTarget {
        var target = GraphTarget()
        target.sharedByteLimit = 48 << 10
        target.requiresSubgroupSize = true
        target.windowByteCount = 1 << 30
        target.workgroupMatrixThreads = 256
        return target
    }

    private static func names(_ graph: ComputeGraph, step: Int, imageCount: Int) -> [String] {
        graph.dispatches(step: step, imageCount: imageCount).map { graph.kernels[$0.kernel].kernel.name }
    }

    @Test func `every row of the table is embedded, and needs no more than it may`() {
        var rows = Kernel.cooperative + Kernel.cooperative2 + Kernel.scalar + Kernel.scalar2
        rows += [.cooperativeFirst, .scalarFirst, .headRMAC, .headNormalise]
        for storage in [NumberStorage.fp32, .fp16] {
            rows += Kernel.direct(storage) + Kernel.winogradProducts(storage)
            rows += [.first(storage), .winogradInput(storage), .winogradOutput(storage), .maxPool(storage)]
            rows += [.headReduce(storage), .headRegions(storage)]
        }
        for row in rows {
            #expect(CShaders_find(row.name) != nil, "\(row.name)")
            #expect(row.sharedByteCount <= 48 << 10, "\(row.name) takes \(row.sharedByteCount) bytes")
        }
        #expect(Set(rows.map(\.name)).count == CShaders_count(), "a kernel that no row names")
    }

    @Test func `small batches get small tiles`() throws {
        let network = BlankWeights.network([64, 512, 512], side: 14)
        let graph = try ComputeGraph(network, tier: .cooperative, target: Self.large)
        #expect(Self.names(graph, step: 0, imageCount: 1) == ["convolution_first_cooperative_m128n64"])
        #expect(Self.names(graph, step: 2, imageCount: 1) == ["convolution_3x3_cooperative_m32n64k64g1x4"])
        #expect(Self.names(graph, step: 2, imageCount: 64) == ["convolution_3x3_cooperative_m128n128k32g2x4"])
        // All tiles of a layer share its weights.
        #expect(graph.parameters.map(\.convolution) == [0, 1, 2])
        // 14x14 pixels of 64 images are 3,136 cells, 32 a tile; 512 channels, 128 a tile.
        #expect(graph.dispatches(step: 2, imageCount: 64)[0].groups == [98, 4, 1])
    }

    @Test func `matrices of a workgroup come first where there are some`() throws {
        let network = BlankWeights.network([64, 512], side: 14)
        let graph = try ComputeGraph(network, tier: .cooperative2, target: Self.large)
        #expect(Self.names(graph, step: 1, imageCount: 64) == ["convolution_3x3_cooperative2_m128n128k64"])
        #expect(graph.kernels[graph.steps[1].implementation(imageCount: 64).kernels.lowerBound].kernel.threads == 256)
    }

    @Test(arguments: [8, 16, 32, 64])
    func `tiles that do not divide among the threads are left out`(subgroupSize: Int) throws {
        var target = Self.large
        target.subgroupSize = subgroupSize
        let graph = try ComputeGraph(BlankWeights.network([64, 200], side: 14), tier: .cooperative, target: target)
        for kernel in graph.kernels.map(\.kernel) where kernel.subgroups > 0 {
            #expect(kernel.threads == kernel.subgroups * subgroupSize && kernel.subgroupSize == subgroupSize)
            #expect((4 * kernel.tileItems * kernel.tileTerms / 8).isMultiple(of: kernel.threads), "\(kernel.name)")
        }
    }

    @Test func `Winograd takes parts of a batch, each image once`() throws {
        let graph = try ComputeGraph(BlankWeights.network([64, 64], side: 224), tier: .fp32, target: Self.large)
        let imageCount = 7
        let dispatches = graph.dispatches(step: 1, imageCount: imageCount)
        let inputs = dispatches.filter { graph.kernels[$0.kernel].kernel.name == "winograd_input_f32" }
        #expect(inputs.count > 1 && dispatches.count == 3 * inputs.count)
        var next: UInt32 = 0
        for part in inputs {
            #expect(part.push.firstImage == next)
            next += part.push.imageCount
        }
        #expect(next == UInt32(imageCount))
        #expect(graph.scratchByteCounts.values.allSatisfy { $0 > 0 && $0 <= 64 << 20 })
        #expect(graph.byteCounts(imageCount: 3)[.scratch(0)] == graph.scratchByteCounts[.scratch(0)])
    }

    @Test func `what was measured is used, and what is gone is not`() throws {
        let network = BlankWeights.network([64, 512], side: 14)
        let shape = ConvolutionShape(side: 14, inputChannels: 64, outputChannels: 512, pools: false)
        func names(_ kernels: [String]) throws -> [String] {
            var options = KernelOptions()
            options.tuning = Tuning(
                kernels.enumerated().map { index, kernel in
                    Tuning.Measurement(shape: shape, kernel: kernel, imageCount: 8 * index + 1, milliseconds: 1)
                }
            )
            let graph = try ComputeGraph(network, tier: .cooperative, target: Self.large, options: options)
            return [1, 64].map { Self.names(graph, step: 1, imageCount: $0)[0] }
        }
        let small = "convolution_3x3_cooperative_m64n64k64g2x2"
        let large = "convolution_3x3_cooperative_m256n128k16g4x2"
        #expect(try names([small, large]) == [small, large])
        #expect(try names([small, "convolution_of_yore"])[1] == "convolution_3x3_cooperative_m128n128k32g2x4")
    }

    @Test(arguments: [NumberStorage.fp32, .fp16], [Float(1), 1e-9, 1e9])
    func `packed weights undo to what they were`(storage: NumberStorage, gain: Float) {
        let layout = ParameterLayout(
            convolution: 0,
            inputChannels: 2,
            outputChannels: 3,
            storage: storage,
            arrangement: .taps(rowsPerTap: 4, rowCount: 48),
            pitch: 4,
            inputExponent: 3,
            outputExponent: -2,
            offset: 0
        )
        let weights = (0..<54).map { gain * (Float($0) - 20.3) }
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: layout.byteCount, alignment: 16)
        defer { bytes.deallocate() }
        layout.pack(weights: weights.span, bias: [1, 2, 3].span, into: bytes)
        #expect(bytes.load(fromByteOffset: 4, as: Float.self) == 2 * 4)
        for output in 0..<3 {
            let factor = bytes.load(fromByteOffset: 4 * (4 + output), as: Float.self)
            for (input, tap) in [(0, 0), (1, 4), (0, 8)] {
                let element = (tap * 4 + input) * 4 + output
                let stored: Float =
                    storage == .fp32
                    ? bytes.load(fromByteOffset: 32 + 4 * element, as: Float.self)
                    : Float(bytes.load(fromByteOffset: 32 + 2 * element, as: Float16.self))
                let expected = weights[(output * 2 + input) * 9 + tap]
                // The map it meets is divided by 2^3, the one it makes by 2^-2.
                #expect(abs(stored * factor / 32 - expected) <= abs(expected) * (storage == .fp32 ? 0 : 0x1p-11))
                #expect(storage == .fp32 || abs(stored) < 1)
            }
        }
    }
}

/// Weights of zeros: a network whose layout alone matters.
private enum BlankWeights {
    static func network(_ widths: [Int], side: Int) -> Network {
        var preprocessing = Preprocessing.keras
        preprocessing.side = side
        let layers = widths.indices.map { index in
            let inputs = index == 0 ? 3 : widths[index - 1]
            return Layer.convolution(.init(index: index, inputChannels: inputs, outputChannels: widths[index]))
        }
        return Network(
            name: "blank",
            layers: layers,
            preprocessing: preprocessing,
            weightsDigest: SHA256Digest(of: []),
            storage: MemoryWeights(
                weights: zip([3] + widths, widths).map { .init(repeating: 0, count: $0 * $1 * 9) },
                biases: widths.map { .init(repeating: 0, count: $0) }
            )
        )
    }
}
