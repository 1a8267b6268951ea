internal import DeviceReports
internal import Wire

/// What there is to say of the graphics devices: which there are, which tiers each can be trusted with, and what the next one
/// lacks. From the daemon's status where it looked at them, else from a trial.
struct GraphicsFindings {
    private let health: [DeviceHealth]
    private let devices: [GraphicsDevice]
    private let error: String?

    init(status: StatusResponse?, probe: () -> GraphicsReport?) {
        health = status?.device.graphics ?? []
        if let known = status?.device.known {
            devices = known
            error = nil
        } else {
            let report = probe()
            devices = report?.devices ?? []
            error = report?.error
        }
    }

    var all: [Finding] {
        let listed = devices.flatMap { device in [finding(device)] + tiers(device) + [limits(device)] }
        let fate = health.map(finding)
        // Where no device is used, the reason is worth a line; that there is none at all, the machine's own finding says.
        guard let error, !devices.isEmpty else { return listed + fate }
        return listed + fate + [.ok("Vulkan", "not used: \(error)")]
    }

    private func finding(_ device: GraphicsDevice) -> Finding {
        let name = "Vulkan device \(device.index)"
        let kind = device.isSoftware ? "; a software device, used only on request" : ""
        let detail =
            "\(device.name), UUID \(device.uuid), \(Text.bytes(UInt64(max(0, device.memoryByteCount)))) free, driver \(device.driver), "
            + "Vulkan \(device.apiVersion)\(kind)"
        guard let reason = device.unusableReason else { return .ok(name, detail) }
        return .warn(name, "\(detail): \(reason)", fix: "install a newer driver for it")
    }

    /// One line for all tiers: those that work, and what the first one that does not lacks.
    private func tiers(_ device: GraphicsDevice) -> [Finding] {
        guard !device.tiers.isEmpty else { return [] }
        let words = device.tiers.reversed().map { tier in
            switch tier.isTrusted {
            case true: "\(tier.name) works"
            case false: "\(tier.name): \(tier.reason)"
            case nil: "\(tier.name) \(tier.reason)"
            }
        }
        return [.ok("  tiers", words.joined(separator: "; "))]
    }

    private func limits(_ device: GraphicsDevice) -> Finding {
        let words = device.limits.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let queue = device.hasCopyQueue ? "uploads run beside kernels" : "uploads and kernels share a queue"
        return .ok("  limits", (words + [queue]).joined(separator: ", "))
    }

    private func finding(_ health: DeviceHealth) -> Finding {
        let name = health.device.isEmpty ? "the graphics device" : health.device
        let losses = health.lossCount > 0 ? ", lost \(health.lossCount) times" : ""
        switch health.state {
        case .serving, .opening:
            let tier = health.tier.isEmpty ? "" : " in tier \(health.tier)"
            return .ok("graphics", "\(name) is \(health.state.rawValue)\(tier)\(losses)")
        case .recovering:
            return .warn(
                "graphics",
                "\(name) is recovering\(losses): \(health.reason)",
                fix: "nothing: it is tried again by itself"
            )
        default:
            return .warn(
                "graphics",
                "\(name) is not used\(losses): \(health.reason)",
                fix: "update its driver, then restart the daemon; --backend cpu silences this"
            )
        }
    }
}
