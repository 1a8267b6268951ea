import Foundation
import Glibc
import Harness
import Platform

/// `torture`: kills a process that works on a store, again and again, and looks whether the store has what was acknowledged.
///
/// The oracle is the pipe that the worker writes its acknowledgements to: it belongs to this process and outlives the worker.
enum TortureCampaign {
    static let command = CommandTable.Command("torture", TortureOptions.options, run: run)

    /// The other side: it works on the store in a folder until it is killed. It is started by `torture` only.
    static let workerCommand = CommandTable.Command("torture-worker", operandCount: 2, run: work)

    /// Runs the lives and prints one JSON object; fails when an insert was lost, a delete resurrected, a write torn or a row damaged.
    static func run(_ arguments: Arguments) throws {
        signal(SIGPIPE, SIG_IGN)
        let options = try TortureOptions(arguments)
        let isTemporary = options.store == nil
        let folder = FileManager.default.temporaryDirectory.appending(path: "likeness-torture-\(getpid())").path
        let run = TortureRun(options, directory: options.store ?? folder)
        do {
            try options.fault == nil ? run.killAll() : run.failAll()
        } catch {
            printNote("torture: the store is left in \(run.directory)")
            throw error
        }
        try printLine(run.report)
        guard run.faults.isEmpty else {
            for fault in run.faults { printNote("torture: \(fault)") }
            throw HarnessFailure("\(run.faults.count) faults; the store is left in \(run.directory)")
        }
        if isTemporary { try? FileManager.default.removeItem(atPath: folder) }
    }

    private static func work(_ arguments: Arguments) throws {
        let directory = arguments.operands[1]
        let subject: any TortureSubject =
            arguments.operands[0] == "index"
            ? TortureIndex(directory: directory) : TortureCatalog(directory: directory)
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

    let subject: String
    let store: String?
    let seed: UInt64
    let secondsLimit: Double
    let roundLimit: Int
    let fault: Fault?
    /// The first call that fails, and the step to the next.
    let firstCall: Int
    let callStride: Int

    static let options = [
        OptionDescription("seconds", .integer(1...Int.max), "to go on"),
        OptionDescription("rounds", .integer(1...Int.max), "lives, or pairs of lives where calls fail"),
        OptionDescription("subject", .choice(["index", "catalog"]), "what is tortured (index)"),
        OptionDescription("store", .text(placeholder: "DIR"), "where it lies, and stays"),
        OptionDescription("seed", .integer(0...Int.max), "of what happens (drawn by lot)"),
        OptionDescription("preload", .text(placeholder: "LIBRARY"), "makes calls of the worker fail; with --call"),
        OptionDescription("call", .text(placeholder: "NAME"), "that fails"),
        OptionDescription("errno", .text(placeholder: "NAME"), "with which it fails (EIO)"),
        OptionDescription("lasting", .choice(["on", "off"]), "whether all later calls fail too (off)"),
        OptionDescription("first", .integer(1...Int.max), "number of the first call that fails (1)"),
        OptionDescription("stride", .integer(1...Int.max), "from there to the next (1)"),
    ]

    init(_ arguments: Arguments) throws {
        subject = arguments.text("subject") ?? "index"
        store = arguments.text("store")
        seed = UInt64(arguments.integer("seed") ?? Int.random(in: 0...Int.max))
        secondsLimit = arguments.integer("seconds").map(Double.init) ?? .infinity
        roundLimit = arguments.integer("rounds") ?? .max
        firstCall = arguments.integer("first") ?? 1
        callStride = arguments.integer("stride") ?? 1
        switch (arguments.text("preload"), arguments.text("call")) {
        case (let library?, let call?):
            fault = Fault(
                library: library,
                call: call,
                error: arguments.text("errno") ?? "EIO",
                isLasting: arguments.text("lasting") == "on"
            )
        case (nil, nil): fault = nil
        default: throw UsageError("--preload and --call go together")
        }
        if secondsLimit == .infinity, roundLimit == .max { throw UsageError("torture needs --seconds or --rounds") }
    }
}
