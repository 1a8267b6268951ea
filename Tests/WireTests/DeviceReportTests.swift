import DeviceReports
import Foundation
import Testing

/// The reports of graphics devices have the same member names in a probe's output and in `GET /v1/status`.
struct DeviceReportTests {
    private func members(_ value: some Encodable) throws -> [String] {
        let data = try JSONEncoder().encode(value)
        return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any]).keys.sorted()
    }

    @Test func `health has the members that clients read`() throws {
        var health = DeviceHealth()
        (health.openSeconds, health.awaySeconds) = (1, 2)
        #expect(
            try members(health) == [
                "away_s", "cached", "device", "driver", "hangs", "losses", "non_finite", "open_s", "out_of_memory",
                "reason", "returns", "state", "tier", "tiers", "uuid",
            ]
        )
        let tier = DeviceHealth.Tier(name: "fp32", isTrusted: true, reason: "in use")
        #expect(try members(tier) == ["name", "reason", "trusted"])
    }

    @Test func `a state of a newer daemon is kept, and does not make the whole status unreadable`() throws {
        var health = DeviceHealth()
        health.state = .init(rawValue: "resting")
        let text = try JSONEncoder().encode(health)
        #expect(try JSONDecoder().decode(DeviceHealth.self, from: text) == health)
    }

    @Test func `a device has the members that clients read`() throws {
        let device = GraphicsDevice(
            index: 0,
            name: "a",
            uuid: "b",
            vendor: "c",
            driver: "d",
            apiVersion: "1.4",
            isSoftware: false,
            memoryByteCount: 1,
            unusableReason: "no queue",
            limits: [:],
            hasCopyQueue: true,
            isChosen: true,
            tiers: []
        )
        #expect(
            try members(device) == [
                "api_version", "chosen", "copy_queue", "driver", "index", "limits", "memory_bytes", "name", "software",
                "tiers", "unusable", "uuid", "vendor",
            ]
        )
    }
}
