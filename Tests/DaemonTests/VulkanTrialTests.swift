import DeviceReports
import Foundation
import InferenceVulkan
import Testing

@testable import Daemon

@Suite struct VulkanTrialTests {
    private func load(_ arguments: [String]) throws -> Command {
        try ConfigurationLoader.load(arguments: arguments, environment: ["HOME": "/nowhere"], userID: 1000)
    }

    @Test func `the flags of a trial are the daemon's own`() throws {
        let arguments = [
            "--probe-vulkan", "best", "--device", "1", "--state", "/s", "--without-tiers", "fp16,cooperative",
        ]
        guard case .probeVulkan(let depth, let configuration, let without) = try load(arguments) else {
            Issue.record("no trial")
            return
        }
        #expect(depth == .best && configuration.device == "1" && configuration.stateDirectory == "/s")
        #expect(without == ["fp16", "cooperative"])
        #expect(throws: ConfigurationError.self) { try load(["--probe-vulkan", "some"]) }
    }

    @Test func `what the daemon starts is what its loader understands`() throws {
        guard case .run(var configuration) = try load(["--state", "/s", "--backend", "vulkan"]) else { return }
        for allows in [true, false] {
            configuration.allowsSoftwareDevice = allows
            let process = VulkanTrial.process(.best, configuration, device: "llvm")
            guard case .probeVulkan(.best, let understood, let without) = try load(Array(process.command.dropFirst()))
            else {
                Issue.record("\(process.command)")
                return
            }
            #expect(understood.allowsSoftwareDevice == allows && understood.device == "llvm" && without.isEmpty)
            #expect(understood.stateDirectory == "/s")
        }
    }

    @Test func `a trial prints the report that its readers decode`() throws {
        var lines: [Data] = []
        guard case .run(let configuration) = try load(["--state", "/nowhere", "--software-vulkan"]) else { return }
        VulkanTrial.run(.list, configuration, without: []) { lines.append($0) }
        let line = try #require(lines.last)
        let report = try JSONDecoder().decode(GraphicsReport.self, from: line)
        #expect(report.trying == nil)
        #expect(lines.count == 1)
    }
}
