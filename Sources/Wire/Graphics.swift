/// A set of kernels of a graphics device and what is known of it.
package struct GraphicsTier: Codable, Sendable, Equatable {
    /// `cooperative2`, `cooperative`, `fp16` or `fp32`.
    package var name: String
    /// It passed the self-test; absent while nobody tried.
    package var trusted: Bool?
    /// Why not, or what it is used for.
    package var reason: String

    package init(name: String, trusted: Bool?, reason: String) {
        self.name = name
        self.trusted = trusted
        self.reason = reason
    }
}

/// A Vulkan device as the system lists it, used or not.
package struct GraphicsDevice: Codable, Sendable, Equatable {
    package var index: Int
    package var name: String
    package var uuid: String
    package var vendor: String
    package var driver: String
    package var apiVersion: String
    /// The processor dressed up as a device.
    package var software: Bool
    package var memory: Int
    /// Why no network can run there; absent when one can.
    package var unusable: String?
    /// By Vulkan's own names.
    package var limits: [String: Int]
    /// Uploads run beside kernels.
    package var copyQueue: Bool
    /// This is the one that is used, or would be.
    package var chosen: Bool
    /// Best first.
    package var tiers: [GraphicsTier]

    package init(
        index: Int,
        name: String,
        uuid: String,
        vendor: String,
        driver: String,
        apiVersion: String,
        software: Bool,
        memory: Int,
        unusable: String?,
        limits: [String: Int],
        copyQueue: Bool,
        chosen: Bool,
        tiers: [GraphicsTier]
    ) {
        self.index = index
        self.name = name
        self.uuid = uuid
        self.vendor = vendor
        self.driver = driver
        self.apiVersion = apiVersion
        self.software = software
        self.memory = memory
        self.unusable = unusable
        self.limits = limits
        self.copyQueue = copyQueue
        self.chosen = chosen
        self.tiers = tiers
    }

    enum CodingKeys: String, CodingKey {
        case index, name, uuid, vendor, driver, software, unusable, limits, chosen, tiers
        case apiVersion = "api_version"
        case memory = "memory_bytes"
        case copyQueue = "copy_queue"
    }
}

/// What `likenessd --probe-vulkan all` prints.
package struct GraphicsReport: Codable, Sendable, Equatable {
    package var devices: [GraphicsDevice]
    /// Why no device would be used.
    package var error: String?

    package init(devices: [GraphicsDevice] = [], error: String? = nil) {
        self.devices = devices
        self.error = error
    }
}

/// How a graphics device in use fares.
package struct GraphicsHealth: Codable, Sendable, Equatable {
    /// `opening`, `serving`, `recovering` or `closed`.
    package var state: String
    package var reason: String
    package var device: String
    package var uuid: String
    package var driver: String
    package var tier: String
    package var tiers: [GraphicsTier]
    /// Counts since the start of the daemon.
    package var losses: Int
    package var hangs: Int
    package var outOfMemory: Int
    package var nonFinite: Int
    package var returns: Int
    /// Seconds from the start of opening to the first moment it could compute.
    package var open: Double?
    /// Seconds from the last loss to the moment it could compute again.
    package var away: Double?
    /// Kernels came from the pipeline cache.
    package var cached: Bool

    package init(
        state: String,
        reason: String,
        device: String,
        uuid: String,
        driver: String,
        tier: String,
        tiers: [GraphicsTier],
        losses: Int,
        hangs: Int,
        outOfMemory: Int,
        nonFinite: Int,
        returns: Int,
        open: Double?,
        away: Double?,
        cached: Bool
    ) {
        self.state = state
        self.reason = reason
        self.device = device
        self.uuid = uuid
        self.driver = driver
        self.tier = tier
        self.tiers = tiers
        self.losses = losses
        self.hangs = hangs
        self.outOfMemory = outOfMemory
        self.nonFinite = nonFinite
        self.returns = returns
        self.open = open
        self.away = away
        self.cached = cached
    }

    enum CodingKeys: String, CodingKey {
        case state, reason, device, uuid, driver, tier, tiers, losses, hangs, returns, cached
        case outOfMemory = "out_of_memory"
        case nonFinite = "non_finite"
        case open = "open_s"
        case away = "away_s"
    }
}
