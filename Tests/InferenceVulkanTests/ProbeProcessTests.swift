import DeviceReports
import Foundation
import Inference
import InferenceVulkan
import Platform
import Testing

/// Trials by a shell that plays the driver's part.
@Suite struct ProbeProcessTests {
    private static let device = """
        {"api_version":"1.3.0","chosen":true,"copy_queue":true,"driver":"d","index":0,"limits":{},"memory_bytes":1,\
        "name":"n","software":false,"tiers":[{"name":"cooperative","reason":"r","trusted":false},\
        {"name":"fp32","reason":"fine","trusted":true}],"uuid":"u","vendor":"v"}
        """
    private static let whole = "{\"devices\":[\(device)]}"
    private static func trying(_ tier: String) -> String { "{\"devices\":[\(device)],\"trying\":\"\(tier)\"}" }

    private func probe(_ script: String, seconds: Double = 60) -> ProbeProcess {
        var probe = ProbeProcess(command: ["/bin/sh", "-c", script, "probe"])
        probe.seconds = seconds
        return probe
    }

    private func failure(_ script: String, seconds: Double = 60) -> InferenceError? {
        do throws(InferenceError) {
            _ = try probe(script, seconds: seconds).run()
            return nil
        } catch { return error }
    }

    @Test func `a whole report is believed, tiers that failed with it`() throws {
        let trial = try probe("echo '\(Self.trying("fp16"))'; echo '\(Self.whole)'; printf '{\"dev'").run()
        #expect(trial.report.devices.map(\.name) == ["n"] && trial.report.trying == nil)
        #expect(trial.failedTiers == [.cooperative: "r"])
    }

    @Test(arguments: ["kill -SEGV $$", "kill -ABRT $$"])
    func `a driver that crashes while it is listed is lost`(script: String) throws {
        let error = try #require(failure(script))
        guard case .deviceLost(_, let detail) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(detail.contains("crashed"), "\(detail)")
    }

    @Test func `a driver that hangs is given up in time`() throws {
        let start = Instant.now
        let error = try #require(failure("exec sleep 600", seconds: 0.3))
        #expect(Instant.now - start < 300)
        guard case .deviceLost(_, let detail) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(detail.contains("0.3 s"), "\(detail)")
    }

    /// Six seconds in all, of which no two lines are more than two apart.
    @Test func `a driver that is slow is not given up while it comes further`() throws {
        let steps = (1...3).map { _ in "echo '\(Self.trying("fp16"))'; sleep 2" }.joined(separator: "; ")
        let trial = try probe("\(steps); echo '\(Self.whole)'", seconds: 5).run()
        #expect(trial.report.devices.map(\.name) == ["n"] && trial.report.trying == nil)
    }

    @Test func `a trial that a stop has ended is no loss`() throws {
        var options = VulkanOptions()
        options.probe = probe("exec sleep 600", seconds: 600)
        let backend = try VulkanBackend(opening: RandomNetwork("8").network(side: 16), options: options)
        backend.close()
        let health = try #require(backend.health)
        #expect(health.state == .opening && health.lossCount == 0 && health.hangCount == 0)
    }

    @Test func `a tier that crashes the driver is left out the next time`() throws {
        let script = """
            if [ "$1" = --without-tiers ]; then
                [ "$2" = cooperative2 ] && echo '\(Self.whole)'
            else
                echo '\(Self.trying("cooperative2"))'; kill -SEGV $$
            fi
            """
        let trial = try probe(script).run()
        #expect(trial.failedTiers[.cooperative2]?.contains("crashed") == true && trial.report.error == nil)
    }

    @Test func `the last tier's crash is the device's`() {
        let error = failure("echo '\(Self.trying("fp32"))'; kill -SEGV $$")
        guard case .deviceLost = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test(arguments: ["true", "echo nonsense", "echo '{\"devices\":[],\"error\":\"no device is called Voodoo2\"}'"])
    func `no usable device is a state`(script: String) throws {
        guard case .deviceUnavailable(let detail)? = failure(script) else {
            Issue.record("\(script) found a device")
            return
        }
        #expect(detail.contains(script.contains("Voodoo2") ? "Voodoo2" : "nothing"), "\(detail)")
    }

    @Test func `a program that is not there is a loss`() {
        var failed = false
        do throws(InferenceError) { _ = try ProbeProcess(command: ["/nonexistent/probe"]).run() } catch {
            failed = true
        }
        #expect(failed)
    }
}
