package import DeviceReports
internal import Foundation
internal import Glibc
package import Inference
internal import Platform

/// Process isolation for the trial of a driver: a program tries the drivers and prints what it finds, so a driver that crashes or hangs
/// ends only that program.
///
/// It prints `GraphicsReport`s, one JSON object a line, the last one the most complete; a line before each tier it tries says
/// which, so that a crash tells the culprit.
package struct ProbeProcess: Sendable {
    /// The program and its arguments.
    package var command: [String]
    /// Before this process's variables, `NAME=VALUE`. A crash that is expected needs no report.
    package var environment = ["SWIFT_BACKTRACE=enable=no"]
    /// How long it may go without printing a line. Drivers need a second on a cold system, but the compiler of one that was never
    /// used before may need most of a minute on a machine that is busy; and nobody waits for it.
    package var seconds = 60.0

    package init(command: [String]) { self.command = command }

    /// What a trial found.
    package struct Trial: Sendable {
        package let report: GraphicsReport
        /// Tiers that crashed the driver or failed, with the reason.
        package let failedTiers: [Tier: String]
    }

    /// Runs the program, once more for each tier that crashes it.
    ///
    /// - Parameter isCancelled: asked several times a second.
    /// - Returns: what it saw of the drivers.
    /// - Throws: `.deviceUnavailable` when it found no usable device, `.deviceLost` when the driver crashed or hung.
    package func run(isCancelled: () -> Bool = { false }) throws(InferenceError) -> Trial {
        var failedTiers: [Tier: String] = [:]
        while true {
            let without = failedTiers.keys.map(\.rawValue).sorted().joined(separator: ",")
            let end = runOnce(without.isEmpty ? [] : ["--without-tiers", without], isCancelled)
            if let trying = end.report?.trying.flatMap(Tier.init(rawValue:)), let fault = end.fault {
                failedTiers[trying] = fault
                if trying != .fp32 { continue }
            }
            if let fault = end.fault { throw .deviceLost(device: "Vulkan", detail: fault) }
            guard let report = end.report else {
                throw .deviceUnavailable(detail: "the trial of the Vulkan driver printed nothing")
            }
            if let error = report.error { throw .deviceUnavailable(detail: error) }
            for tier in report.devices.flatMap({ $0.isChosen ? $0.tiers : [] }) where tier.isTrusted == false {
                if let known = Tier(rawValue: tier.name) { failedTiers[known] = tier.reason }
            }
            return Trial(report: report, failedTiers: failedTiers)
        }
    }

    private struct End {
        var report: GraphicsReport?
        /// How it died, or that it did not end; nil when it ended well.
        var fault: String?
    }

    private func runOnce(_ more: [String], _ isCancelled: () -> Bool) -> End {
        let output: (bytes: [UInt8], fault: String?)
        do { output = try collect(command + more, isCancelled) } catch { return End(fault: "\(error)") }
        // The last line may be half written.
        let lines = output.bytes.split(separator: UInt8(ascii: "\n"))
        let report = lines.reversed().lazy.compactMap { try? JSONDecoder().decode(GraphicsReport.self, from: Data($0)) }
            .first
        return End(report: report, fault: output.fault)
    }

    /// Starts the program and reads its standard output to the end, or kills it at the limit.
    private func collect(
        _ command: [String],
        _ isCancelled: () -> Bool
    ) throws(SystemError) -> (bytes: [UInt8], fault: String?) {
        var ends: [Int32] = [0, 0]
        try retrying("make a pipe") { pipe(&ends) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let reader = OwnedDescriptor(owning: ends[0])
        let identifier = try spawn(command, output: OwnedDescriptor(owning: ends[1]))
        var deadline = Instant.now + seconds
        var bytes: [UInt8] = []
        var hasEnded = false
        while !hasEnded, bytes.count < 1 << 20, Instant.now < deadline, !isCancelled() {
            var request = pollfd(fd: reader.rawValue, events: Int16(POLLIN), revents: 0)
            // An interrupted or empty poll only looks at the clock again.
            guard poll(&request, 1, 50) > 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 1 << 14)
            let count = read(reader.rawValue, &chunk, chunk.count)
            if count > 0 {
                bytes += chunk.prefix(count)
                // The program came one step further.
                deadline = .now + seconds
            }
            hasEnded = count == 0
        }
        if !hasEnded { kill(identifier, SIGKILL) }
        var status: Int32 = 0
        try retrying("wait for \(command[0])") { waitpid(identifier, &status, 0) }
        let signal = status & 0x7F
        if !hasEnded { return (bytes, Hang.detail("the trial of the Vulkan driver", seconds: seconds)) }
        if signal != 0 { return (bytes, "the Vulkan driver crashed (signal \(signal))") }
        return (bytes, nil)
    }

    private func spawn(_ command: [String], output: consuming OwnedDescriptor) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output.rawValue, STDOUT_FILENO)
        // The daemon blocks signals for its own loop; the program must be killable as any other.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let variables = environment + ProcessInfo.processInfo.environment.map { "\($0.key)=\($0.value)" }
        var arguments = command.map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var identifier = pid_t()
        let code = posix_spawn(&identifier, command[0], &actions, &attributes, &arguments, &environment)
        guard code == 0 else { throw SystemError(code: code, operation: "start \(command[0])") }
        return identifier
    }
}
