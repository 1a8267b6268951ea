import Foundation
import Harness
import ModelFiles
import Platform

/// `fuzz`: a weight file reader under damaged files. A trap ends the process; slowness and memory are looked at here.
///
/// A finding is narrowed down with the same seed: `--first` and `--executions` choose the numbers of the damaged files.
enum FuzzCampaign {
    /// Longest time one file may take.
    private static let secondsLimit = 1.0
    /// Most memory the process may have held at the end.
    private static let memoryLimit = 512 << 20
    private static let progressInterval = 100_000

    static let command = CommandTable.Command(
        "fuzz",
        [
            OptionDescription("format", .choice(WeightFileProbe.formats), "whose reader is tried"),
            OptionDescription("seeds", .text(placeholder: "DIR"), "a folder of sound files"),
            OptionDescription("executions", .integer(1...Int.max), "damaged files (100000)"),
            OptionDescription("first", .integer(0...Int.max), "number of the first (0)"),
            OptionDescription("seed", .integer(0...Int.max), "of the damage (drawn by lot)"),
        ],
        run: run
    )

    /// Runs the campaign and prints one JSON object.
    static func run(_ arguments: Arguments) throws {
        let format = try arguments.needed("format")
        let folder = try arguments.needed("seeds")
        let executions = arguments.integer("executions") ?? 100_000
        let first = arguments.integer("first") ?? 0
        let seed = UInt64(arguments.integer("seed") ?? Int.random(in: 0...Int.max))
        guard let probe = WeightFileProbe(format: format) else { throw HarnessFailure("no format \(format)") }
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
                throw HarnessFailure("file \(number) of seed \(seed) took \(seconds) s")
            }
            if (number + 1).isMultiple(of: progressInterval) {
                printNote("fuzz: \(number + 1) of seed \(seed)")
            }
        }
        let memory = OwnProcess.peakMemoryByteCount
        guard memory <= memoryLimit else { throw HarnessFailure("seed \(seed) took \(memory) bytes of memory") }
        try printLine([
            "bench": "fuzz", "format": format, "seed": seed, "first": first, "executions": executions,
            "accepted": accepted, "seconds": Instant.now - start, "milliseconds_max": slowest * 1000,
            "peak_memory_bytes": memory,
        ])
    }

    /// Every file of a folder; all must be read, or the campaign would try nothing behind their fault.
    private static func soundFiles(in folder: String, _ probe: WeightFileProbe) throws -> [[UInt8]] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        guard !names.isEmpty else { throw HarnessFailure("\(folder) is empty") }
        return try names.map { name in
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(folder)/\(name)")))
            if let refusal = probe.refusal(bytes) { throw HarnessFailure("\(name) is not sound: \(refusal)") }
            return bytes
        }
    }
}
