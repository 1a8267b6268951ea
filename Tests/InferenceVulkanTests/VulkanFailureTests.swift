import DeviceReports
import Glibc
import Inference
import InferenceVulkan
import TestSupport
import Testing

@Suite(.serialized, .requiresVulkan)
struct VulkanFailureTests {
    private let network = RandomNetwork("8 P 20").network(side: 16)

    @Test func `a software device is refused unless asked for`() throws {
        #expect(throws: InferenceError.self) {
            try VulkanBackend.software(network) { $0.allowsSoftware = false }
        }
        do {
            _ = try VulkanBackend.software(network) { $0.allowsSoftware = false }
        } catch .deviceUnavailable(let detail) {
            #expect(detail.contains("llvmpipe") && detail.contains("software"), "\(detail)")
        }
    }

    @Test func `no driver is a state with a reason`() async {
        await #expect(processExitsWith: .success) {
            // Both spellings: loaders before 1.3.234 know the first one only.
            for variable in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] { setenv(variable, "/dev/null", 1) }
            do throws(InferenceError) {
                _ = try VulkanBackend.software(RandomNetwork("8").network(side: 16))
                exit(1)
            } catch .deviceUnavailable(let detail) {
                exit(detail.isEmpty ? 2 : 0)
            } catch {
                exit(3)
            }
        }
    }

    @Test func `a device is found by index, UUID and name`() throws {
        let device = try #require(try VulkanProbe.devices().first { $0.isSoftware })
        #expect(device.unusableReason == nil && device.memoryByteCount > 0)
        #expect(device.uuid.count == 36 && device.driver.contains("llvmpipe"))
        for designation in ["\(device.index)", device.uuid, device.uuid.uppercased(), "LLVM"] {
            let backend = try VulkanBackend.software(network) { $0.device = designation }
            #expect(backend.health?.uuid == device.uuid, "\(designation)")
        }
    }

    @Test(arguments: ["Voodoo2", "99"])
    func `an unknown device is named in the error`(designation: String) {
        do {
            _ = try VulkanBackend.software(network) { $0.device = designation }
            Issue.record("\(designation) was opened")
        } catch .deviceUnavailable(let detail) {
            #expect(detail.contains(designation) && detail.contains("llvmpipe"), "\(detail)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test(arguments: ["P 8", "P", ""])
    func `a chain that does not begin with a convolution is no network`(chain: String) {
        do {
            _ = try VulkanBackend.software(RandomNetwork(chain).network(side: 16))
            Issue.record("\(chain) was accepted")
        } catch .unsupportedNetwork {
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func `more poolings than the map has rows are no network`() {
        #expect(throws: InferenceError.self) {
            try VulkanBackend.software(RandomNetwork("4 P P P P P").network(side: 16))
        }
    }

    /// Weights so large that fp32 overflows in the second convolution.
    @Test func `a vector that is not finite names its image`() throws {
        let backend = try VulkanBackend.software(RandomNetwork("8 P 8 8", amplitude: 1e15).network(side: 16))
        let noise = randomPixels(count: 1, side: 16)
        do {
            let rows = try backend.vectors(noise + noise, count: 2, heads: [.max], channels: 8)
            Issue.record("no error; \(rows[0])")
        } catch .nonFinite(let images) {
            #expect(images == [0, 1])
        }
    }

    /// No time at all is too little for the driver's own wait.
    @Test func `a submission that does not end in time is a lost device`() throws {
        do {
            _ = try VulkanBackend.software(network) { $0.submissionSeconds = 0 }
            Issue.record("a submission ended in no time")
        } catch .deviceLost(let device, let detail) {
            #expect(device.contains("llvmpipe") && detail.contains("within 0.0 s"), "\(device): \(detail)")
        }
    }

    @Test func `a first submission that hangs is a lost device after the longest timeout`() throws {
        let faults = VulkanFaults()
        faults.arm(.queueSubmit, at: 1, .hang)
        do {
            _ = try VulkanBackend.software(network) { $0.faults = faults }
            Issue.record("a submission that hangs ended")
        } catch .deviceLost(let device, let detail) {
            #expect(device.contains("llvmpipe") && detail.contains("within 600.0 s"), "\(device): \(detail)")
        }
    }
}
