/// A Vulkan device as the system lists it, used or not.
package struct GraphicsDevice: Codable, Sendable, Equatable {
    package var index: Int
    package var name: String
    package var uuid: String
    package var vendor: String
    package var driver: String
    package var apiVersion: String
    package var isSoftware: Bool
    /// Bytes of its own memory that a process may take.
    package var memoryByteCount: Int
    /// Why no network can run there; absent when one can.
    package var unusableReason: String?
    /// By Vulkan's own names.
    package var limits: [String: Int]
    /// Whether uploads run beside kernels.
    package var hasCopyQueue: Bool
    /// This one would be used.
    package var isChosen: Bool
    /// Best first.
    package var tiers: [DeviceHealth.Tier]

    package init(
        index: Int,
        name: String,
        uuid: String,
        vendor: String,
        driver: String,
        apiVersion: String,
        isSoftware: Bool,
        memoryByteCount: Int,
        unusableReason: String?,
        limits: [String: Int],
        hasCopyQueue: Bool,
        isChosen: Bool,
        tiers: [DeviceHealth.Tier]
    ) {
        self.index = index
        self.name = name
        self.uuid = uuid
        self.vendor = vendor
        self.driver = driver
        self.apiVersion = apiVersion
        self.isSoftware = isSoftware
        self.memoryByteCount = memoryByteCount
        self.unusableReason = unusableReason
        self.limits = limits
        self.hasCopyQueue = hasCopyQueue
        self.isChosen = isChosen
        self.tiers = tiers
    }

    enum CodingKeys: String, CodingKey {
        case index, name, uuid, vendor, driver, limits, tiers
        case apiVersion = "api_version"
        case isSoftware = "software"
        case memoryByteCount = "memory_bytes"
        case unusableReason = "unusable"
        case hasCopyQueue = "copy_queue"
        case isChosen = "chosen"
    }
}

/// What Vulkan offers on this machine, as `likenessd --probe-vulkan` prints it: one JSON object a line.
package struct GraphicsReport: Codable, Sendable, Equatable {
    package var devices: [GraphicsDevice]
    /// Why no device can be used.
    package var error: String?
    /// The tier that is tried next; absent in the last line.
    package var trying: String?

    package init(devices: [GraphicsDevice] = [], error: String? = nil) {
        self.devices = devices
        self.error = error
    }
}
