import Foundation
import Inference
import ModelFiles
import TestSupport
import Testing

@testable import InferenceCPU

/// Runs a backend on random pixels.
func features(
    _ backend: any ConvolutionBackend,
    _ pixels: [UInt8],
    count: Int,
    dimension: Int,
    heads: [Head] = Head.allCases
) throws -> [[Float]] {
    var rows = [Float](repeating: .nan, count: count * heads.count * dimension)
    var span = rows.mutableSpan
    try backend.run(pixels.span.bytes, count: count, heads: heads, into: &span)
    return stride(from: 0, to: rows.count, by: dimension).map { Array(rows[$0..<$0 + dimension]) }
}

/// The same bytes for the same seed.
func randomPixels(_ count: Int, seed: UInt64) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return UInt8(truncatingIfNeeded: state >> 33)
    }
}

struct CPUBackendTests {
    /// A random network and how it is run; the text of a case names all of it.
    struct Case: Sendable, CustomTestStringConvertible {
        var stages: [[Int]]
        var side: Int
        var batch: Int
        var threads: Int
        var testDescription: String { "\(stages) on \(side) pixels, \(batch) images, \(threads) threads" }
    }

    static let cases = [
        Case(stages: [[1]], side: 1, batch: 1, threads: 1),
        Case(stages: [[3]], side: 5, batch: 3, threads: 2),
        Case(stages: [[2], [3]], side: 2, batch: 2, threads: 1),
        Case(stages: [[1, 2], [3], [7]], side: 16, batch: 1, threads: 1),
        Case(stages: [[2, 1], [15, 3]], side: 18, batch: 3, threads: 2),
        Case(stages: [[7, 15], [16, 3], [2]], side: 13, batch: 5, threads: 3),
        Case(stages: [[16, 17], [7]], side: 11, batch: 2, threads: 2),
        Case(stages: [[3], [5], [7], [9]], side: 23, batch: 1, threads: 2),
        // Products wide enough that all threads share one, on batches of an odd number of tiles.
        Case(stages: [[4], [130, 129]], side: 18, batch: 3, threads: 2),
        Case(stages: [[4], [130, 260], [2]], side: 14, batch: 1, threads: 3),
    ]

    @Test(arguments: cases)
    func `the processor computes what the reference computes`(_ it: Case) throws {
        for settings in [Preprocessing.keras, .torchvision] {
            var preprocessing = settings
            preprocessing.side = it.side
            let network = Network.random(
                name: "random",
                architecture: try #require(Architecture(stages: it.stages)),
                preprocessing: preprocessing,
                seed: UInt64(it.side * 100 + it.batch),
                biasDeviation: settings == .keras ? 20 : 0.3
            )
            let pixels = randomPixels(it.batch * it.side * it.side * 3, seed: 5)
            let dimension = network.outputChannels
            let expected = try features(
                ReferenceBackend(network: network),
                pixels,
                count: it.batch,
                dimension: dimension
            )
            for kernels in Kernels.available {
                let backend = try CPUBackend(
                    network: network,
                    threads: it.threads,
                    maximumBatch: it.batch + 1,
                    kernels: kernels
                )
                let found = try features(backend, pixels, count: it.batch, dimension: dimension)
                for (row, (a, b)) in zip(expected, found).enumerated() where a.contains(where: { $0 != 0 }) {
                    let similarity = cosine(a, b)
                    let worst = zip(a, b).map { abs($0 - $1) }.max() ?? 0
                    #expect(
                        similarity >= 0.9999999 && worst < 1e-5,
                        "\(it.testDescription), \(settings.channelOrder), \(kernels.instructionSet), row \(row): \(similarity), \(worst)"
                    )
                }
            }
        }
    }

    @Test func `a batch gives the same rows as its images alone, again and again`() throws {
        var preprocessing = Preprocessing.keras
        preprocessing.side = 20
        let network = Network.random(
            name: "random",
            architecture: try #require(Architecture(stages: [[8, 8], [140, 140]])),
            preprocessing: preprocessing,
            seed: 3
        )
        let backend = try CPUBackend(network: network, threads: 2, maximumBatch: 3)
        let bytes = 20 * 20 * 3
        let pixels = randomPixels(3 * bytes, seed: 8)
        let together = try features(backend, pixels, count: 3, dimension: 140, heads: [.mean])
        for image in 0..<3 {
            let alone = try features(
                backend,
                Array(pixels[image * bytes..<(image + 1) * bytes]),
                count: 1,
                dimension: 140,
                heads: [.mean]
            )
            #expect(cosine(alone[0], together[image]) > 0.99999999)
        }
        #expect(try features(backend, pixels, count: 3, dimension: 140, heads: [.mean]) == together)
    }

    @Test(arguments: [(64, 64), (144, 80), (16, 272)])
    func `no number of tiles makes a block larger than the memory planned for it`(input: Int, output: Int) {
        for isBLAS in [false, true] {
            for cacheByteCount in [1, 256 << 10, 1 << 20, 2 << 20] {
                let blocking = WinogradBlocking(
                    inputChannels: input,
                    outputChannels: output,
                    isBLAS: isBLAS,
                    cacheByteCount: cacheByteCount
                )
                for tileCount in 1...400 {
                    let block = blocking.tileCount(of: tileCount)
                    #expect((1...min(blocking.tileLimit, tileCount)).contains(block), "\(tileCount) tiles: \(block)")
                }
            }
        }
    }

    @Test func `smaller batches than planned give the same rows`() throws {
        var preprocessing = Preprocessing.keras
        preprocessing.side = 24
        let network = Network.random(
            name: "random",
            architecture: try #require(Architecture(stages: [[16, 16], [144, 144]])),
            preprocessing: preprocessing,
            seed: 3
        )
        let bytes = 24 * 24 * 3
        let pixels = randomPixels(7 * bytes, seed: 8)
        for kernels in Kernels.available {
            let backend = try CPUBackend(network: network, threads: 2, maximumBatch: 7, kernels: kernels)
            let all = try features(backend, pixels, count: 7, dimension: 144, heads: [.max])
            for count in 1..<7 {
                let some = Array(pixels[..<(count * bytes)])
                let rows = try features(backend, some, count: count, dimension: 144, heads: [.max])
                for (a, b) in zip(all, rows) { #expect(cosine(a, b) > 0.9999999, "\(count) images") }
            }
        }
    }

    @Test func `overflow is told by the image, not returned`() throws {
        var preprocessing = Preprocessing.keras
        preprocessing.side = 8
        preprocessing.scale = [1e38, 1e38, 1e38]
        let network = Network.random(
            name: "random",
            architecture: try #require(Architecture(stages: [[4, 4]])),
            preprocessing: preprocessing,
            seed: 3
        )
        let backend = try CPUBackend(network: network, threads: 1, maximumBatch: 2)
        let pixels = randomPixels(2 * 192, seed: 1)
        for head in Head.allCases {
            #expect(throws: InferenceError.nonFinite(images: [0, 1]), "\(head)") {
                try features(backend, pixels, count: 2, dimension: 4, heads: [head])
            }
        }
    }

    @Test func `the description names processor, kernels and, where it multiplies, OpenBLAS`() throws {
        var preprocessing = Preprocessing.keras
        preprocessing.side = 4
        let network = Network.random(
            name: "random",
            architecture: try #require(Architecture(stages: [[1]])),
            preprocessing: preprocessing,
            seed: 3
        )
        for kernels in Kernels.available {
            let description = try CPUBackend(network: network, threads: 2, maximumBatch: 1, kernels: kernels)
                .description
            #expect(description.backend == "cpu")
            #expect(description.tier == "fp32")
            #expect(description.threads == 2)
            #expect(description.device.contains("\(kernels.instructionSet) kernels"))
            #expect(description.device.contains("OpenBLAS") == (kernels.instructionSet == "portable"))
        }
    }

    @Test(.requiresSharedData, arguments: ["vgg19-slim", "vgg19-conv3_1"])
    func `trained networks give the features of ONNX Runtime`(name: String) throws {
        let network = try Model.open(weights: SharedData.models.appending(path: "\(name).safetensors").path).network
        let pixels = [UInt8](try Data(contentsOf: SharedData.reference.appending(path: "photos8.rgb")))
        let backend = try CPUBackend(network: network, threads: 2, maximumBatch: 8)
        let found = try features(backend, pixels, count: 8, dimension: network.outputChannels)
        for (index, head) in Head.allCases.enumerated() where SharedData.referenceHeads.contains(head) {
            let file = SharedData.reference.appending(path: "\(name).\(head.rawValue).fvecs")
            let expected = try SharedData.fvecs(file)
            #expect(expected.count == 8)
            for image in expected.indices {
                let similarity = cosine(expected[image], found[image * Head.allCases.count + index])
                #expect(similarity >= 0.999999, "\(name) \(head) image \(image): \(similarity)")
            }
        }
    }
}

struct ThreadTeamTests {
    @Test(arguments: [1, 2, 5])
    func `every task runs once, job after job`(threads: Int) throws {
        let team = try ThreadTeam(count: threads)
        let buffer = try FloatBuffer(count: 1000)
        for round in 1...50 {
            team.run(taskCount: 1000 - round) { worker, task in
                precondition((0..<threads).contains(worker))
                buffer.base[task] += 1
            }
        }
        for task in 0..<1000 { #expect(buffer.base[task] == Float(min(50, 999 - task))) }
        team.run(taskCount: 0) { _, _ in preconditionFailure("no task was given") }
    }
}
