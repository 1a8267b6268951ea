import Daemon
import Foundation

/// Ends with a line on standard error; 2 means that the command line or a setting is wrong.
func end(_ code: Int32, _ error: any Error) -> Never {
    FileHandle.standardError.write(Data("likenessd: \(error)\n".utf8))
    exit(code)
}

do {
    let command = try ConfigurationLoader.load(
        arguments: Array(CommandLine.arguments.dropFirst()),
        environment: ProcessInfo.processInfo.environment,
        userID: geteuid()
    )
    switch command {
    case .help: print(ConfigurationLoader.help, terminator: "")
    case .verify(let folder): exit(try StoreVerification.run(folder) { print($0) })
    case .probeVulkan(let depth, let configuration, let without):
        VulkanTrial.limitProcess()
        VulkanTrial.run(depth, configuration, without: without) { line in
            FileHandle.standardOutput.write(line)
            VulkanTrial.limitProcess()
        }
    case .version: print("likenessd \(Version.number)")
    case .run(let configuration):
        try LikenessDaemon.run(
            configuration,
            environment: ProcessInfo.processInfo.environment,
            arguments: CommandLine.arguments
        )
    }
} catch let error as ConfigurationError {
    end(2, error)
} catch {
    end(1, error)
}
