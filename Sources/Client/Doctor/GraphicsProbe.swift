internal import DeviceReports
internal import Foundation
internal import Glibc
internal import Platform
internal import Wire

/// Has the daemon's program try the Vulkan drivers, in a process that may crash or hang.
struct GraphicsProbe {
    /// Where the program may lie: beside this one, where it is installed, and on the search path.
    var candidates: [String] = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let beside = URL(filePath: own).deletingLastPathComponent().appending(path: "likenessd").path
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        return [beside, "/usr/local/lib/likeness/likenessd"] + path.map { "\($0)/likenessd" }
    }()
    /// Seconds it may take.
    var timeout = 30.0

    /// The last and most complete line it printed; nil where there is no program, or it printed none.
    func report() -> GraphicsReport? {
        guard let program = candidates.first(where: FileManager.default.isExecutableFile(atPath:)) else { return nil }
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(filePath: program)
        process.arguments = ["--probe-vulkan", "all"]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return nil }
        let identifier = process.processIdentifier
        let alarm = DispatchWorkItem { kill(identifier, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + timeout, execute: alarm)
        let data = (try? output.fileHandleForReading.readToEnd()) ?? Data()
        alarm.cancel()
        process.waitUntilExit()
        let lines = data.split(separator: UInt8(ascii: "\n"))
        var report = lines.reversed().lazy.compactMap { try? JSONDecoder().decode(GraphicsReport.self, from: Data($0)) }
            .first
        if process.terminationReason == .uncaughtSignal {
            let fault = "a Vulkan driver crashed or did not answer (signal \(process.terminationStatus))"
            report = GraphicsReport(devices: report?.devices ?? [], error: fault)
        }
        return report
    }
}
