import Foundation
import Inference
import Platform

/// `fuzz`: a weight file reader under damaged files. A trap ends the process; slowness and memory are looked at here.
///
/// A finding is narrowed down with the same seed: `--first` and `--executions` choose the numbers of the damaged files.
enum FuzzBench {
    /// Longest time one file may take.
    private static let secondsLimit = 1.0
    /// Most memory the process may have held at the end.
    private static let memoryLimit = 512 << 20
    private static let progressInterval = 100_000

    /// Runs the campaign and prints one JSON object.
    static func run(_ arguments: [String]) throws {
        var format: String?
        var folder: String?
        var executions = 100_000
        var first = 0
        var seed = UInt64.random(in: 0...UInt64.max)
        for (name, value) in try optionPairs(arguments) {
            switch (name, Int(value), UInt64(value)) {
            case ("--format", _, _): format = value
            case ("--seeds", _, _): folder = value
            case ("--executions", let count?, _) where count > 0: executions = count
            case ("--first", let number?, _) where number >= 0: first = number
            case ("--seed", _, let number?): seed = number
            default: throw BenchFailure("fuzz does not take \(name) \(value)")
            }
        }
        guard let format, let probe = WeightFileProbe(format: format) else {
            throw BenchFailure("fuzz needs --format, one of \(WeightFileProbe.formats.joined(separator: ", "))")
        }
        guard let folder else { throw BenchFailure("fuzz needs --seeds, a folder of sound files") }
        let mutator = ByteMutator(files: try soundFiles(in: folder, probe), seed: seed)

        var accepted = 0
        var slowest = 0.0
        let start = Instant.now
        for number in first..<first + executions {
            let bytes = mutator.damaged(number)
            let began = Instant.now
            if probe.refusal(bytes) == nil { accepted += 1 }
            let seconds = Instant.now - began
            slowest = max(slowest, seconds)
            guard seconds <= secondsLimit else {
                throw BenchFailure("file \(number) of seed \(seed) took \(seconds) s")
            }
            if (number + 1).isMultiple(of: progressInterval) {
                FileHandle.standardError.write(Data("fuzz: \(number + 1) of seed \(seed)\n".utf8))
            }
        }
        let memory = peakMemoryByteCount
        guard memory <= memoryLimit else { throw BenchFailure("seed \(seed) took \(memory) bytes of memory") }
        try printLine([
            "bench": "fuzz", "format": format, "seed": seed, "first": first, "executions": executions,
            "accepted": accepted, "seconds": Instant.now - start, "milliseconds_max": slowest * 1000,
            "peak_memory_bytes": memory,
        ])
    }

    /// Every file of a folder; all must be read, or the campaign would try nothing behind their fault.
    private static func soundFiles(in folder: String, _ probe: WeightFileProbe) throws -> [[UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        guard !names.isEmpty else { throw BenchFailure("\(folder) is empty") }
        return try names.map { name in
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            if let refusal = probe.refusal(bytes) { throw BenchFailure("\(name) is not sound: \(refusal)") }
            return bytes
        }
    }
}
