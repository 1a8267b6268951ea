import Foundation
import Inference
import InferenceVulkan
import Testing
import Wire

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

    /// The client reads what the trial prints in types of its own.
    @Test func `a report reads the same on the other end of the pipe`() throws {
        var lines: [Data] = []
        guard case .run(let configuration) = try load(["--state", "/nowhere", "--software-vulkan"]) else { return }
        VulkanTrial.run(.list, configuration, without: []) { lines.append($0) }
        let line = try #require(lines.last)
        let report = try JSONDecoder().decode(VulkanReport.self, from: line)
        let wire = try JSONDecoder().decode(GraphicsReport.self, from: line)
        #expect(wire.devices == report.devices.map(GraphicsDevice.init) && wire.error == report.error)
        #expect(lines.count == 1)
    }

    @Test func `health reaches the socket whole`() {
        var health = DeviceHealth()
        health.state = .recovering
        health.tiers = [.init(name: "fp32", isTrusted: true, reason: "in use")]
        health.lossCount = 1
        health.hangCount = 2
        health.outOfMemoryCount = 3
        health.nonFiniteCount = 4
        health.returnCount = 5
        let wire = GraphicsHealth(health)
        let counts: [Int] = [wire.losses, wire.hangs, wire.outOfMemory, wire.nonFinite, wire.returns]
        #expect(counts == [1, 2, 3, 4, 5])
        #expect(
            wire.state == "recovering" && wire.tiers == [GraphicsTier(name: "fp32", trusted: true, reason: "in use")]
        )
    }
}
