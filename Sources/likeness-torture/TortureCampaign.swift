import Foundation
import Glibc
import Platform

/// `torture`: kills a process that works on a store, again and again, and looks whether the store has what was acknowledged.
///
/// The oracle is the pipe that the worker writes its acknowledgements to: it belongs to this process and outlives the worker.
enum TortureBench {
    /// Runs the lives and prints one JSON object; fails when anything was lost, undead, torn or damaged.
    static func run(_ arguments: [String]) throws {
        if arguments.first == "--worker" { return try work(arguments) }
        signal(SIGPIPE, SIG_IGN)
        let options = try TortureOptions(arguments)
        let isTemporary = options.store == nil
        let folder = FileManager.default.temporaryDirectory.appending(path: "likeness-torture-\(getpid())").path
        let run = TortureRun(options, directory: options.store ?? folder)
        do {
            try options.fault == nil ? run.killAll() : run.failAll()
        } catch {
            FileHandle.standardError.write(Data("torture: the store is left in \(run.directory)\n".utf8))
            throw error
        }
        try printLine(run.report)
        guard run.faults.isEmpty else {
            for fault in run.faults { FileHandle.standardError.write(Data("torture: \(fault)\n".utf8)) }
            throw BenchFailure("\(run.faults.count) faults; the store is left in \(run.directory)")
        }
        if isTemporary { try? FileManager.default.removeItem(atPath: folder) }
    }

    /// The other side: `--worker SUBJECT DIRECTORY`.
    private static func work(_ arguments: [String]) throws {
        guard arguments.count == 3 else { throw BenchFailure("a worker is started by torture only") }
        let directory = arguments[2]
        let subject: any TortureSubject =
            arguments[1] == "index" ? TortureIndex(directory: directory) : TortureCatalog(directory: directory)
        // As in the daemon.
        signal(SIGXFSZ, SIG_IGN)
        Log.setThreshold(.error)
        try TortureWorker.run(directory, subject)
    }
}

/// What was asked for.
struct TortureOptions {
    /// A failing system call of the workers.
    struct Fault {
        /// The preloaded library, and what it is told.
        var library: String
        var call: String
        var error: String
        var isLasting = false
    }

    var subject = "index"
    var store: String?
    var seed = UInt64.random(in: 0...UInt64.max)
    var secondsLimit = Double.infinity
    var roundLimit = Int.max
    var fault: Fault?
    /// The first call that fails, and the step to the next.
    var firstCall = 1
    var callStride = 1

    init(_ arguments: [String]) throws {
        var library: String?
        var call: String?
        var error = "EIO"
        var isLasting = false
        for (name, value) in try optionPairs(arguments) {
            switch (name, Int(value)) {
            case ("--subject", _) where value == "index" || value == "catalog": subject = value
            case ("--store", _): store = value
            case ("--seconds", let seconds?) where seconds > 0: secondsLimit = Double(seconds)
            case ("--rounds", let count?) where count > 0: roundLimit = count
            case ("--seed", let number?): seed = UInt64(bitPattern: Int64(number))
            case ("--preload", _): library = value
            case ("--call", _): call = value
            case ("--errno", _): error = value
            case ("--lasting", _) where value == "on" || value == "off": isLasting = value == "on"
            case ("--first", let number?) where number > 0: firstCall = number
            case ("--stride", let number?) where number > 0: callStride = number
            default: throw BenchFailure("torture does not take \(name) \(value)")
            }
        }
        if let library, let call {
            fault = Fault(library: library, call: call, error: error, isLasting: isLasting)
        } else if library != nil || call != nil {
            throw BenchFailure("--preload and --call go together")
        }
        if secondsLimit == .infinity, roundLimit == .max { throw BenchFailure("torture needs --seconds or --rounds") }
    }
}
