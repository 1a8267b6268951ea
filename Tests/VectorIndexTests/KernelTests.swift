import CIndexKernels
import Platform
import Testing

@testable import VectorIndex

/// Every instruction set that this machine has, against the portable kernels.
struct KernelTests {
    static let variants: [DispatchTable] = InstructionSet.allCases.compactMap { DispatchTable($0) }
    static let dimensions = [1, 2, 3, 7, 15, 16, 17, 63, 64, 65, 100, 128, 192, 512, 513, 4096]

    private let portable: DispatchTable

    init() throws { portable = try #require(Self.variants.first { $0.name == "portable" }) }

    private func random(_ count: Int, _ seed: UInt64, isSigned: Bool) -> [Float] {
        var generator = SeededGenerator(seed)
        let raw = (0..<count).map { _ in isSigned ? generator.normal() : max(0, generator.normal()) }
        return unit(raw.map { $0 == 0 ? 1e-3 : $0 })
    }

    private func halves(_ vector: [Float], _ kernels: DispatchTable) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 2 * vector.count)
        kernels.table.pointee.convert_f32_f16(vector, vector.count, &bytes)
        return bytes
    }

    private func quantizer(of vectors: [[Float]]) -> ScalarQuantizer {
        QuantizerTrainer(dimension: vectors[0].count, sample: vectors.flatMap { $0 }, kernels: portable).quantizer(
            current: nil
        )
    }

    private func store(_ vectors: [[Float]], _ quantizer: ScalarQuantizer, _ kernels: DispatchTable) -> CodeStore {
        let store = CodeStore(quantizer: quantizer, kernels: kernels)
        for (number, vector) in vectors.enumerated() { store.write(vector, to: Slot(rawValue: UInt32(number))) }
        return store
    }

    @Test(arguments: dimensions, [true, false])
    func codesAndTheirProductsAreTheSameEverywhere(dimension: Int, isSigned: Bool) {
        let vectors = (0..<9).map { random(dimension, UInt64($0), isSigned: isSigned) }
        let quantizer = quantizer(of: vectors)
        let query = QueryBuffer(dimension: dimension)
        query.set(vectors[0], quantizer: quantizer, kernels: portable)
        let expected = store(vectors, quantizer, portable)
        for kernels in Self.variants {
            let codes = store(vectors, quantizer, kernels)
            for slot in (0..<9).map({ Slot(rawValue: $0) }) {
                let row = codes.row(slot)
                let oracle = expected.row(slot)
                #expect((0..<quantizer.stride).allSatisfy { row[$0] == oracle[$0] }, "\(kernels.name) \(dimension)")
                #expect(abs(codes.quantizationError(slot).rounding - expected.quantizationError(slot).rounding) < 1e-5)
                let first = codes.row(Slot(rawValue: 0))
                let product = kernels.table.pointee.dot_u8(first, row, quantizer.stride, quantizer.zeroPoint)
                let wanted = portable.table.pointee.dot_u8(first, row, quantizer.stride, quantizer.zeroPoint)
                #expect(product == wanted, "\(kernels.name) \(dimension)")
            }
            let wanted = scores(portable, query, codes, 9)
            #expect(scores(kernels, query, codes, 9) == wanted, "\(kernels.name) \(dimension)")
        }
    }

    @Test(arguments: dimensions) func scoresOfCodesAreCloseToTheCosine(dimension: Int) {
        for isSigned in [true, false] {
            let vectors = (0..<9).map { random(dimension, UInt64($0 + 50), isSigned: isSigned) }
            let quantizer = quantizer(of: vectors)
            let query = QueryBuffer(dimension: dimension)
            query.set(vectors[0], quantizer: quantizer, kernels: portable)
            let codes = store(vectors, quantizer, portable)
            for (number, score) in scores(portable, query, codes, 9).enumerated() {
                let exact = zip(vectors[0], vectors[number]).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(
                    abs(score - exact) <= codes.quantizationError(Slot(rawValue: UInt32(number))).bound(query) + 1e-3,
                    "dimension \(dimension)"
                )
            }
            // The vector that a code stands for is scored as the code products say.
            query.set(code: codes.row(Slot(rawValue: 3)), quantizer: quantizer)
            for (number, score) in scores(portable, query, codes, 9).enumerated() {
                let row = codes.row(Slot(rawValue: UInt32(number)))
                let third = codes.row(Slot(rawValue: 3))
                let product = portable.table.pointee.dot_u8(third, row, quantizer.stride, quantizer.zeroPoint)
                #expect(abs(score - quantizer.scale * quantizer.scale * Float(product)) < 1e-5)
            }
        }
    }

    private func scores(_ kernels: DispatchTable, _ query: QueryBuffer, _ codes: CodeStore, _ count: Int) -> [Float] {
        let rows: [UnsafePointer<UInt8>?] = (0..<count).map { codes.row(Slot(rawValue: UInt32($0))) }
        var scores = [Float](repeating: 0, count: count)
        var numbers = query.query
        withExtendedLifetime((query, codes)) {
            rows.withUnsafeBufferPointer { buffer in
                buffer.withMemoryRebound(to: UnsafePointer<UInt8>.self) { rows in
                    guard let base = rows.baseAddress else { return }
                    kernels.table.pointee.score_rows_u8(&numbers, base, count, &scores)
                }
            }
        }
        return scores
    }

    @Test(arguments: dimensions) func halvesRoundTheSameEverywhere(dimension: Int) {
        var vector = random(dimension, 5, isSigned: true)
        let edges: [Float] = [0, -0.0, 65504, 65519, 65520, 1e9, 6.1e-5, 5.96e-8, 2.9e-8, 3e-8, 1e-10, -1e-7, 0.333, 1]
        for (index, edge) in edges.enumerated() where index < dimension { vector[index] = edge }
        let expected = halves(vector, portable)
        for kernels in Self.variants {
            #expect(halves(vector, kernels) == expected, "\(kernels.name) \(dimension)")
            var back = [Float](repeating: 0, count: dimension)
            kernels.table.pointee.convert_f16_f32(expected, dimension, &back)
            var wanted = back
            portable.table.pointee.convert_f16_f32(expected, dimension, &wanted)
            #expect(back == wanted)
        }
    }

    @Test func everyHalfComesBackAsItself() {
        let all = (UInt16.min...UInt16.max).filter { $0 & 0x7C00 != 0x7C00 }
        let bytes = all.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        for kernels in Self.variants {
            var floats = [Float](repeating: 0, count: all.count)
            kernels.table.pointee.convert_f16_f32(bytes, all.count, &floats)
            #expect(halves(floats, kernels) == bytes, "\(kernels.name)")
        }
    }

    @Test(arguments: dimensions) func exactScoresAgree(dimension: Int) {
        let a = random(dimension, 1, isSigned: true)
        let b = random(dimension, 2, isSigned: true)
        let stored = halves(b, portable)
        let expected = portable.table.pointee.dot_f32_f16(a, stored, dimension)
        for kernels in Self.variants {
            let score = kernels.table.pointee.dot_f32_f16(a, stored, dimension)
            #expect(abs(score - expected) < 2e-6, "\(kernels.name) \(dimension)")
        }
    }

    @Test func theHashOfNothingIsThePublishedOne() {
        // The empty XXH3 of the reference implementation.
        #expect(CIndexKernels_xxh3_64([UInt8](repeating: 0, count: 32), 0) == 0x2D06_8005_38D3_94C2)
    }
}
