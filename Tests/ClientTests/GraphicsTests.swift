import DeviceReports
import Foundation
import TestSupport
import Testing
import Wire

@testable import Client

@Suite struct GraphicsTests {
    private func device(unusable: String? = nil) -> GraphicsDevice {
        GraphicsDevice(
            index: 0,
            name: "H200",
            uuid: "6d65",
            vendor: "NVIDIA",
            driver: "NVIDIA 580.1",
            apiVersion: "1.4.1",
            isSoftware: false,
            memoryByteCount: 1 << 37,
            unusableReason: unusable,
            limits: ["maxStorageBufferRange": 4_294_967_295],
            hasCopyQueue: true,
            isChosen: true,
            tiers: [
                DeviceHealth.Tier(
                    name: "cooperative2",
                    isTrusted: false,
                    reason: "the driver has no VK_NV_cooperative_matrix2"
                ),
                DeviceHealth.Tier(name: "cooperative", isTrusted: true, reason: "in use"),
                DeviceHealth.Tier(name: "fp32", isTrusted: nil, reason: "not needed"),
            ]
        )
    }

    private func health(_ state: String) -> DeviceHealth {
        var health = DeviceHealth()
        health.state = .init(rawValue: state)
        health.reason = "VK_ERROR_DEVICE_LOST; tried again after 2 s"
        health.device = "H200"
        health.uuid = "6d65"
        health.driver = "NVIDIA"
        health.tier = state == "serving" ? "cooperative" : ""
        health.lossCount = 3
        health.hangCount = 1
        health.nonFiniteCount = 7
        health.returnCount = 2
        health.openSeconds = 0.431
        health.awaySeconds = 1.2
        health.usedCache = true
        return health
    }

    private func status(_ state: String) -> StatusResponse {
        var status = makeStatus()
        status.device.graphics = [health(state)]
        status.device.known = [device()]
        return status
    }

    @Test func `doctor lists devices, tiers and what the next one lacks from the daemon's status`() {
        var isAsked = false
        let findings = GraphicsFindings(status: status("serving")) {
            isAsked = true
            return nil
        }.all
        let text = findings.map { "\($0.state) \($0.name): \($0.detail)" }.joined(separator: "\n")
        for part in [
            "H200, UUID 6d65", "NVIDIA 580.1", "fp32 not needed; cooperative works",
            "cooperative2: the driver has no VK_NV_cooperative_matrix2", "maxStorageBufferRange 4294967295",
            "uploads run beside kernels", "H200 is serving in tier cooperative, lost 3 times",
        ] { #expect(text.contains(part), "\(part) is not in \(text)") }
        #expect(!isAsked && findings.allSatisfy { $0.state == .ok })
    }

    @Test(arguments: [("recovering", "nothing: it is tried again"), ("closed", "restart the daemon")])
    func `a device that is not there is a warning with what to do`(state: String, fix: String) {
        let finding = GraphicsFindings(status: status(state)) { nil }.all.last
        #expect(finding?.state == .warn && finding?.fix?.contains(fix) == true)
    }

    @Test func `without a daemon a trial says the same`() {
        let report = GraphicsReport(devices: [device(unusable: "it has no compute queue")], error: "none can be used")
        let findings = GraphicsFindings(status: nil) { report }.all
        #expect(findings.first?.state == .warn && findings.first?.detail.contains("no compute queue") == true)
        #expect(findings.last?.detail == "not used: none can be used")
        #expect(GraphicsFindings(status: nil) { nil }.all.isEmpty)
    }

    @Test func `the trial's last whole line counts, and a crash is told`() throws {
        let folder = try TemporaryDirectory()
        let program = folder.path + "/likenessd"
        func probe(_ script: String) throws -> GraphicsReport? {
            try Data("#!/bin/sh\n\(script)\n".utf8).write(to: URL(filePath: program))
            try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
            return GraphicsProbe(candidates: [folder.path + "/none", program]).report()
        }
        #expect(
            try probe(#"echo '{"devices":[]}'; echo '{"devices":[],"error":"last"}'; printf '{"de'"#)?.error == "last"
        )
        let crashed = try probe(#"echo '{"devices":[]}'; kill -SEGV $$"#)
        #expect(crashed?.error?.contains("crashed") == true)
        #expect(try probe("true") == nil)
    }

    @Test func `status shows a device in one line`() {
        func line(_ state: String) -> String {
            let terminal = Terminal(hasColor: false, drawsProgress: false) { _, _ in }
            return StatusScreen(status: status(state), terminal: terminal).lines.first { $0.hasPrefix("  GPU") } ?? ""
        }
        #expect(
            line("serving").hasSuffix(
                "H200 serving, tier cooperative, 3 lost, 1 of them hung, 7 recomputed for overflow, 2 returned, opened in 431 ms"
            )
        )
        #expect(line("recovering").hasSuffix("tried again after 2 s"))
    }
}
