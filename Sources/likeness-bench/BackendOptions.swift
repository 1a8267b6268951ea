import Foundation
import Inference
import InferenceCPU
import InferenceVulkan
import Platform

/// The options that name a backend and a network, and what opens them.
struct BackendOptions {
    private(set) var backend = "cpu"
    private(set) var weights = "random:vgg16"
    private(set) var device: String?
    private(set) var tier = "fp32"
    /// Where compiled pipelines are kept; nil compiles anew.
    private(set) var cacheFolder: String?
    private(set) var threadCount = WorkerThread.availableCoreCount

    /// Takes one option if it is one of these.
    ///
    /// - Returns: whether it was.
    mutating func take(_ name: String, _ value: String) throws -> Bool {
        switch name {
        case "--backend": backend = value
        case "--weights": weights = value
        case "--device": device = value
        case "--tier": tier = value
        case "--cache": cacheFolder = value
        case "--threads":
            guard let count = Int(value), (1...1024).contains(count) else {
                throw BenchFailure("--threads takes 1 to 1024, not \(value)")
            }
            threadCount = count
        default: return false
        }
        return true
    }

    /// Opens the backend for batches of up to `maximumBatch` images.
    func open(_ network: Network, maximumBatch: Int) throws -> any ConvolutionBackend {
        let opened: any ConvolutionBackend
        switch backend {
        case "cpu": opened = try CPUBackend(network: network, threads: threadCount, maximumBatch: maximumBatch)
        case "vulkan":
            // A benchmark measures the device it is given, a software one included.
            var vulkan = VulkanOptions()
            vulkan.device = device
            vulkan.allowsSoftware = true
            vulkan.maximumBatch = maximumBatch
            vulkan.cacheFolder = cacheFolder
            if tier != "best" {
                guard let known = Tier(rawValue: tier) else { throw BenchFailure("there is no tier \(tier)") }
                vulkan.tier = known
            }
            opened = try VulkanBackend(network: network, options: vulkan)
        case "reference": return ReferenceBackend(network: network, maximumBatch: maximumBatch)
        default: throw BenchFailure("--backend takes cpu, vulkan or reference, not \(backend)")
        }
        guard tier == "best" || opened.description.tier == tier else {
            throw BenchFailure("\(backend) computes in tier \(opened.description.tier), not \(tier)")
        }
        return opened
    }
}

/// The options of benchmarks that compute one batch again and again.
struct BatchOptions {
    private(set) var backend = BackendOptions()
    private(set) var batch = 8
    private(set) var seconds = 5.0

    /// - Throws: what `bench` does not take.
    init(_ arguments: [String], of bench: String) throws {
        for (name, value) in try optionPairs(arguments) where try !backend.take(name, value) {
            switch (name, Int(value), Double(value)) {
            case ("--batch", let count?, _) where (1...4096).contains(count): batch = count
            case ("--seconds", _, let duration?) where (0...3600).contains(duration): seconds = duration
            default: throw BenchFailure("\(bench) does not take \(name) \(value)")
            }
        }
    }
}

/// Splits `--name value` pairs.
func optionPairs(_ arguments: [String]) throws -> [(name: String, value: String)] {
    guard arguments.count.isMultiple(of: 2) else {
        throw BenchFailure("option \(arguments.last ?? "") lacks its value")
    }
    return stride(from: 0, to: arguments.count, by: 2).map { (arguments[$0], arguments[$0 + 1]) }
}

/// Most memory this process has held at once, in bytes (`VmHWM`).
var peakMemoryByteCount: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kibibytes = line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    return (kibibytes ?? 0) * 1024
}
