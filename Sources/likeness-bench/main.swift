import Foundation

let arguments = Array(CommandLine.arguments.dropFirst())
do {
    switch arguments.first {
    case "index": try IndexBench.run(Array(arguments.dropFirst()))
    default:
        FileHandle.standardError.write(Data("usage: likeness-bench index --folder DIR [--ef 20,40,80]\n".utf8))
        exit(2)
    }
} catch {
    FileHandle.standardError.write(Data("likeness-bench: \(error)\n".utf8))
    exit(5)
}
