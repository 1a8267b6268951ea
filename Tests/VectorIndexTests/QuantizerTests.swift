import CIndexKernels
import Storage
import Testing

@testable import VectorIndex

/// Codes by pca: what they keep of vectors, and that they come back from the store.
struct QuantizerTests {
    private static let dimension = 192
    private static let world: (vectors: [[Float]], quantizer: ScalarQuantizer) = {
        var source = FeatureSource(dimension: dimension)
        let vectors = source.next(1600)
        let trainer = QuantizerTrainer(
            dimension: dimension,
            sample: vectors.flatMap { $0 },
            kernels: DispatchTable.chosen
        )
        return (vectors, trainer.quantizer(current: nil))
    }()

    private let kernels = DispatchTable.chosen
    private var vectors: [[Float]] { Self.world.vectors }
    private var quantizer: ScalarQuantizer { Self.world.quantizer }

    private func store(_ kernels: DispatchTable, _ count: Int = 100) -> CodeStore {
        let store = CodeStore(quantizer: quantizer, kernels: kernels)
        for number in 0..<count { store.write(vectors[number], to: Slot(rawValue: UInt32(number))) }
        return store
    }

    @Test func vectorsOfFewDirectionsGetPrincipalComponents() throws {
        let pca = try #require(quantizer.pca)
        #expect(pca.count == 64)
        #expect(quantizer.stride == 64)
        for first in 0..<pca.count {
            for second in 0...first {
                var product: Float = 0
                for index in 0..<Self.dimension {
                    let at = { (number: Int) in (number / 64 * Self.dimension + index) * 64 + number % 64 }
                    product += pca.blocks[at(first)] * pca.blocks[at(second)]
                }
                #expect(abs(product - (first == second ? 1 : 0)) < 1e-5)
            }
        }
    }

    @Test func vectorsOfAllDirectionsGetNone() {
        var generator = SeededGenerator(3)
        let noise = (0..<1600).flatMap { _ in unit((0..<Self.dimension).map { _ in generator.normal() }) }
        let quantizer = QuantizerTrainer(dimension: Self.dimension, sample: noise, kernels: kernels).quantizer(
            current: nil
        )
        #expect(quantizer.pca == nil)
        #expect(quantizer.zeroPoint == 128)
    }

    @Test func theSameSampleChangesNothingAndAnotherKindDoes() {
        let sample = vectors.flatMap { $0 }
        let again = QuantizerTrainer(dimension: Self.dimension, sample: sample, kernels: kernels).quantizer(
            current: quantizer
        )
        #expect(again.tag == quantizer.tag)
        var other = FeatureSource(dimension: Self.dimension, seed: 99)
        let moved = other.next(1600).flatMap { $0 }
        let trained = QuantizerTrainer(dimension: Self.dimension, sample: moved, kernels: kernels).quantizer(
            current: quantizer
        )
        #expect(trained.tag != quantizer.tag)
    }

    @Test(arguments: KernelTests.variants.map(\.name)) func quantizationErrorsBoundTheErrorOfScores(name: String) throws
    {
        let kernels = try #require(KernelTests.variants.first { $0.name == name })
        let codes = store(kernels)
        let query = QueryBuffer(dimension: Self.dimension)
        var largest: Float = 0
        for asked in 200..<220 {
            query.set(vectors[asked], quantizer: quantizer, kernels: kernels)
            var asC = query.query
            for number in 0..<100 {
                let slot = Slot(rawValue: UInt32(number))
                var score: Float = 0
                withUnsafePointer(to: Optional(codes.row(slot))) { row in
                    row.withMemoryRebound(to: UnsafePointer<UInt8>.self, capacity: 1) {
                        kernels.table.pointee.score_rows_u8(&asC, $0, 1, &score)
                    }
                }
                let exact = zip(vectors[asked], vectors[number]).reduce(0) { $0 + $1.0 * $1.1 }
                #expect(abs(score - exact) <= codes.quantizationError(slot).bound(query) + 1e-3)
                largest = max(largest, codes.quantizationError(slot).bound(query))
            }
        }
        // A bound that holds for everything would prove nothing.
        #expect(largest < 0.5)
    }

    @Test func projectionsAreTheSameEverywhere() throws {
        let pca = try #require(quantizer.pca)
        let expected = PrincipalComponents.allocate(pca.count)
        let got = PrincipalComponents.allocate(pca.count)
        defer {
            expected.deallocate()
            got.deallocate()
        }
        for kernels in KernelTests.variants {
            for vector in vectors[..<20] {
                pca.project(vector, to: got, kernels)
                for number in 0..<pca.count {
                    expected[number] = 0
                    for index in 0..<Self.dimension {
                        expected[number] += vector[index] * pca.blocks[index * 64 + number]
                    }
                    #expect(abs(got[number] - expected[number]) < 1e-5, "\(kernels.name)")
                }
            }
        }
        // An odd number of components: what is left over after pairs.
        let odd = PrincipalComponents(dimension: 65, count: 64) { number in (0..<65).map { $0 == number + 1 ? 1 : 0 } }
        let vector = (0..<65).map { Float($0) }
        for kernels in KernelTests.variants {
            odd.project(vector, to: got, kernels)
            #expect((0..<64).allSatisfy { got[$0] == Float($0 + 1) }, "\(kernels.name)")
        }
    }

    @Test func expandingUndoesProjectingWithinThePrincipalComponents() throws {
        let pca = try #require(quantizer.pca)
        let components = (0..<pca.count).map { Float($0 % 7) - 3 }
        let vector = pca.expand(components)
        let back = PrincipalComponents.allocate(pca.count)
        defer { back.deallocate() }
        pca.project(vector, to: back, kernels)
        for number in 0..<pca.count { #expect(abs(back[number] - components[number]) < 1e-4) }
    }

    @Test func rowsComeBackAndDamagedOnesDoNot() throws {
        let row = QuantizerRow.bytes(quantizer)
        let found = QuantizerRow.quantizer(row.span.bytes, dimension: Self.dimension)
        let back = try #require(found)
        #expect(back.tag == quantizer.tag)
        #expect(back.pca?.count == quantizer.pca?.count)
        #expect(QuantizerRow.bytes(back) == row)
        let otherDimension = QuantizerRow.quantizer(row.span.bytes, dimension: Self.dimension + 1)
        #expect(otherDimension == nil)
        for place in [0, 5, 9, 13, 17, 21, row.count - 1] {
            var damaged = row
            damaged[place] ^= 1
            let refused = QuantizerRow.quantizer(damaged.span.bytes, dimension: Self.dimension)
            #expect(refused == nil)
        }
        let codes = store(kernels)
        let slot = Slot(rawValue: 7)
        let code = CodeRow.bytes(
            codes.row(slot),
            count: quantizer.componentCount,
            codes.quantizationError(slot),
            slot: slot,
            hash: 77,
            tag: quantizer.tag
        )
        #expect(code.count == 24 + 64)
        let foundCode = CodeRow.read(code.span.bytes, slot: slot, quantizer: quantizer)
        let read = try #require(foundCode)
        #expect(read.hash == 77)
        #expect(read.loss == codes.quantizationError(slot))
        let otherSlot = CodeRow.read(code.span.bytes, slot: Slot(rawValue: 8), quantizer: quantizer)
        #expect(otherSlot == nil)
        for place in code.indices {
            var damaged = code
            damaged[place] ^= 16
            let refused = CodeRow.read(damaged.span.bytes, slot: slot, quantizer: quantizer)
            #expect(refused == nil)
        }
    }
}
