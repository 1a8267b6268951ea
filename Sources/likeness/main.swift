internal import Client
internal import Foundation
internal import Glibc

let environment = ProcessInfo.processInfo.environment
let exitCode = CommandLineClient.run(
    arguments: Array(CommandLine.arguments.dropFirst()),
    environment: environment,
    terminal: Terminal(environment: environment)
)
exit(exitCode.rawValue)
