import Foundation
import Harness

let table = CommandTable(
    program: "likeness-bench",
    commands: [
        EmbedBench.command, LayersBench.command, TuneBench.command, FeaturesBench.command, WeightsBench.command,
        IngestBench.command, IndexBench.command, FilterBench.command, DocumentBench.command, ChurnBench.command,
        MaintenanceBench.command,
    ]
)
exit(table.run(Array(CommandLine.arguments.dropFirst())))
