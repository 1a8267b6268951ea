import Foundation
import Harness
import Testing

@testable import ModelFiles

/// Damaged files by the thousand; `LIKENESS_FUZZ_EXECUTIONS` and `LIKENESS_FUZZ_SEED` change how many and which.
struct TorchFuzzTests {
    @Test func `damaged files neither trap nor hang`() throws {
        let environment = ProcessInfo.processInfo.environment
        let executions = environment["LIKENESS_FUZZ_EXECUTIONS"].flatMap { Int($0) } ?? 2000
        let seed = environment["LIKENESS_FUZZ_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
        print("TorchFuzzTests: LIKENESS_FUZZ_SEED=\(seed)")

        var checkpoint = TorchFixture.valid
        checkpoint.wrappers = ["state_dict"]
        let files = ByteMutator(
            files: [TorchFixture.valid.sequence(), checkpoint.sequence(), checkpoint.archive().bytes],
            seed: seed
        )
        // Checksums hide the pickle of an archive from damage, so that is damaged before they are computed.
        let pickles = ByteMutator(files: [TorchFixture.valid.pickle, checkpoint.pickle], seed: seed)
        let probe = try #require(WeightFileProbe(format: "torch"))
        let clock = ContinuousClock()
        for number in 0..<executions {
            let bytes =
                number.isMultiple(of: 3)
                ? TorchFixture.valid.archive(pickle: pickles.damaged(number)).bytes : files.damaged(number)
            let duration = clock.measure { _ = probe.refusal(bytes) }
            // A file of a few kilobytes takes microseconds; only a loop without end comes near the limit.
            #expect(duration < .seconds(30), "file \(number) of seed \(seed)")
        }
    }
}
