import Foundation
import Harness

let table = CommandTable(
    program: "likeness-torture",
    commands: [TortureCampaign.command, TortureCampaign.workerCommand, FaultsCampaign.command, FuzzCampaign.command]
)
exit(table.run(Array(CommandLine.arguments.dropFirst())))
