package import Foundation
internal import Glibc
internal import InferenceVulkan

/// The process in which Vulkan drivers are tried before the daemon opens them itself: a driver that crashes or hangs
/// there harms nobody.
package enum VulkanTrial {
    /// How much to try.
    package enum Depth: String, CaseIterable, Sendable {
        /// List the devices.
        case list
        /// The device that would be used, down to its best tier.
        case best
        /// Every device and tier.
        case all
    }

    /// Seconds without a line after which a process in this role ends itself, should nobody be left who would kill it.
    private static let limit: UInt32 = 120

    /// Ends this process by SIGALRM when the limit passes before this is called again: at the start, and for each line.
    /// For the executable alone: the timer belongs to the whole process, so a test that runs a trial within its own
    /// would be killed by it.
    package static func limitProcess() { alarm(limit) }

    /// Prints a `GraphicsReport` as one line of JSON before each trial, and the whole at the end.
    package static func run(
        _ depth: Depth,
        _ configuration: Configuration,
        without: Set<String>,
        _ write: (Data) -> Void
    ) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var options = options(configuration, device: configuration.device)
        // Whoever asks for all may not be the daemon's user, whose files these are.
        if depth != .best { options.cacheFolder = nil }
        let vulkanDepth: VulkanProbe.Depth =
            switch depth {
            case .list: .list
            case .best: .best
            case .all: .all
            }
        VulkanProbe.report(vulkanDepth, options, without: without) { report in
            guard let line = try? encoder.encode(report) else { return }
            write(line + [UInt8(ascii: "\n")])
        }
    }

    /// What the daemon opens, and the trial tries.
    static func options(_ configuration: Configuration, device: String?) -> VulkanOptions {
        var options = VulkanOptions()
        options.device = device
        options.allowsSoftware = configuration.allowsSoftwareDevice
        options.cacheFolder = "\(configuration.stateDirectory)/vulkan"
        return options
    }

    /// The same program again, in this role.
    static func process(_ depth: Depth, _ configuration: Configuration, device: String?) -> ProbeProcess {
        var command = ["/proc/self/exe", "--probe-vulkan", depth.rawValue, "--state", configuration.stateDirectory]
        if let device { command += ["--device", device] }
        command.append("--software-vulkan=\(configuration.allowsSoftwareDevice)")
        var process = ProbeProcess(command: command)
        // A list compiles nothing, and the start of the daemon waits for it.
        if depth == .list { process.seconds = 10 }
        return process
    }
}
