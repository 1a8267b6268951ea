import Foundation

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "embed": try EmbedBench.run(Array(arguments.dropFirst()))
    case "faults": try FaultsBench.run(Array(arguments.dropFirst()))
    case "layers": try LayersBench.run(Array(arguments.dropFirst()))
    case "features": try FeaturesBench.run(Array(arguments.dropFirst()))
    case "filter": try FilterBench.run(Array(arguments.dropFirst()))
    case "documents": try DocumentBench.run(Array(arguments.dropFirst()))
    case "fuzz": try FuzzBench.run(Array(arguments.dropFirst()))
    case "ingest": try IngestBench.run(Array(arguments.dropFirst()))
    case "index": try IndexBench.run(Array(arguments.dropFirst()))
    case "tune": try TuneBench.run(Array(arguments.dropFirst()))
    case "torture": try TortureBench.run(Array(arguments.dropFirst()))
    case "maintenance": try MaintenanceBench.run(Array(arguments.dropFirst()))
    case "churn": try ChurnBench.run(Array(arguments.dropFirst()))
    case "weights": try WeightsBench.run(Array(arguments.dropFirst()))
    default:
        let usage = """
            usage: likeness-bench embed [--backend cpu|vulkan|reference] [--weights W] [--batch N] [--seconds S] [--threads T]
                       [--tier best|fp32|fp16|cooperative|cooperative2] [--device D] [--cache DIR]
                   likeness-bench faults [--images 2000] [--faults 100] [--seconds S] [--seed K] [--tier T] [--device D]
                       [--devices 1]
                   likeness-bench layers [--weights W] [--batch N] [--seconds S] [--threads T]
                   likeness-bench features --input IN.rgb --output OUT.fvecs [--backend B] [--weights W] [--head H,...]
                       [--preprocessing keras|torchvision|MANIFEST.json]
                   likeness-bench filter --folder DIR [--selectivity 0.001,0.01,0.1,0.5,0.9] [--ef N] [--threads T] [--store PATH]
                   likeness-bench documents [--images N] [--dimension D] [--documents on|off]
                   likeness-bench fuzz --format F --seeds DIR [--executions N] [--first I] [--seed S]
                   likeness-bench ingest --images DIR [--backend B] [--weights W] [--batch N] [--queries on|off]
                   likeness-bench index --folder DIR [--ef 20,40,80]
                   likeness-bench tune [--weights W] [--tier T] [--device D] [--images 1,8,32] [--cache DIR]
                   likeness-bench torture --seconds S | --rounds N [--subject index|catalog] [--store DIR] [--seed K]
                   likeness-bench maintenance [--count N] [--store DIR]
                   likeness-bench churn --folder DIR [--rounds 10] [--share 0.1] [--aside 0.2] [--ef 40] [--queries 500]
                       [--build-threads 1] [--store DIR]
                   likeness-bench weights --weights W

            """
        FileHandle.standardError.write(Data(usage.utf8))
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("likeness-bench: \(error)\n".utf8))
    exit(5)
}
