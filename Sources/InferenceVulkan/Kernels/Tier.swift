/// A precision tier, which is a set of kernels: their storage, their arithmetic, and what they need of a device. Later is preferable.
package enum Tier: String, CaseIterable, Sendable, Comparable {
    /// fp32 storage and arithmetic: any device of Vulkan 1.2.
    case fp32
    /// fp16 storage, fp32 arithmetic.
    case fp16
    /// fp16 products, fp32 sums, on matrix units (VK_KHR_cooperative_matrix).
    case cooperative
    /// The same with matrices of a whole workgroup (VK_NV_cooperative_matrix2).
    case cooperative2

    package static func < (a: Tier, b: Tier) -> Bool {
        (allCases.firstIndex(of: a) ?? 0) < (allCases.firstIndex(of: b) ?? 0)
    }

    /// Cosine to the reference that every image and head must reach.
    package var requiredCosine: Double { self == .fp32 ? 0.999_999 : 0.9999 }

    /// What keeps the tier from a device, in words for people; nil when nothing does.
    func obstacle(on device: DeviceCapabilities) -> String? {
        switch self {
        case .fp32: nil
        case .fp16: device.storesHalves ? nil : "the driver cannot read fp16 from buffers (storageBuffer16BitAccess)"
        case .cooperative: Tier.fp16.obstacle(on: device) ?? device.cooperativeMatrixObstacle
        case .cooperative2: Tier.cooperative.obstacle(on: device) ?? device.cooperativeMatrix2Obstacle
        }
    }

    /// The tier below, where numbers have more room; nil below fp32.
    var next: Tier? {
        switch self {
        case .fp32: nil
        case .fp16, .cooperative, .cooperative2: .fp32
        }
    }

    /// The tier to drop to after losses; nil below fp32.
    var below: Tier? { Tier.allCases.last { $0 < self } }
}
