package import DeviceReports

/// `GET /v1/status`: everything at a glance.
package struct StatusResponse: Codable, Sendable, Equatable {
    package struct Counts: Codable, Sendable, Equatable {
        /// Searchable images.
        package var images: Int
        /// Distinct vectors.
        package var vectors: Int
        /// Files in the ledger, failed ones among them.
        package var files: Int
        package var failed: Int
        /// Files that wait to be embedded.
        package var waiting: Int

        package init(images: Int, vectors: Int, files: Int, failed: Int, waiting: Int) {
            self.images = images
            self.vectors = vectors
            self.files = files
            self.failed = failed
            self.waiting = waiting
        }
    }

    package struct LoadProgress: Codable, Sendable, Equatable {
        package var done: Int
        package var total: Int
        package var imagesPerSecond: Double
        /// Seconds; absent when idle.
        package var remaining: Double?
        /// Why nothing moves; absent when it does.
        package var paused: String?

        package init(done: Int, total: Int, imagesPerSecond: Double, remaining: Double?, paused: String?) {
            self.done = done
            self.total = total
            self.imagesPerSecond = imagesPerSecond
            self.remaining = remaining
            self.paused = paused
        }

        enum CodingKeys: String, CodingKey {
            case done, total, paused
            case imagesPerSecond = "images_per_second"
            case remaining = "remaining_s"
        }
    }

    /// What was computed since the daemon started.
    package struct Work: Codable, Sendable, Equatable {
        /// Images embedded for the index, and for queries.
        package var images: Int
        package var queries: Int
        package var failures: Int
        package var batches: Int
        /// Seconds that decoders and the device worked.
        package var decode: Double
        package var compute: Double

        package init(images: Int, queries: Int, failures: Int, batches: Int, decode: Double, compute: Double) {
            self.images = images
            self.queries = queries
            self.failures = failures
            self.batches = batches
            self.decode = decode
            self.compute = compute
        }

        enum CodingKeys: String, CodingKey {
            case images, queries, failures, batches
            case decode = "decode_s"
            case compute = "compute_s"
        }
    }

    package struct Device: Codable, Sendable, Equatable {
        package var backend: String
        package var device: String
        package var tier: String
        package var threads: Int
        /// Why this one was chosen.
        package var reason: String
        /// The graphics devices in use and how they fare; absent without any.
        package var graphics: [DeviceHealth]?
        /// All graphics devices of the machine, as far as they were looked at.
        package var known: [GraphicsDevice]?

        package init(
            backend: String,
            device: String,
            tier: String,
            threads: Int,
            reason: String,
            graphics: [DeviceHealth]? = nil,
            known: [GraphicsDevice]? = nil
        ) {
            self.graphics = graphics
            self.known = known
            self.backend = backend
            self.device = device
            self.tier = tier
            self.threads = threads
            self.reason = reason
        }
    }

    package struct Resources: Codable, Sendable, Equatable {
        /// Resident memory of the daemon, now and at its highest.
        package var memoryBytes: UInt64
        package var memoryPeakBytes: UInt64
        /// On disk of the collections, and left on their file system.
        package var diskBytes: UInt64
        package var diskFreeBytes: UInt64

        package init(memoryBytes: UInt64, memoryPeakBytes: UInt64, diskBytes: UInt64, diskFreeBytes: UInt64) {
            self.memoryBytes = memoryBytes
            self.memoryPeakBytes = memoryPeakBytes
            self.diskBytes = diskBytes
            self.diskFreeBytes = diskFreeBytes
        }

        enum CodingKeys: String, CodingKey {
            case memoryBytes = "memory_bytes"
            case memoryPeakBytes = "memory_peak_bytes"
            case diskBytes = "disk_bytes"
            case diskFreeBytes = "disk_free_bytes"
        }
    }

    package var version: String
    /// Seconds since the daemon started.
    package var uptime: Double
    /// Of all collections, or of the one that was asked for; so are progress, roots and disk.
    package var counts: Counts
    package var progress: LoadProgress
    package var work: Work?
    package var model: ModelBody
    package var head: String
    /// Of the collection that was asked for, else of `default`. Absent when vectors are compared as the network gives
    /// them.
    package var whitening: WhiteningBody?
    package var device: Device
    package var roots: [RootBody]
    package var resources: Resources
    /// Limits by name, such as `search_body_bytes`.
    package var limits: [String: Double]
    package var warnings: [Warning]
    /// By name; older daemons have one and say nothing of it.
    package var collections: [CollectionBody]?

    package init(
        version: String,
        uptime: Double,
        counts: Counts,
        progress: LoadProgress,
        model: ModelBody,
        head: String,
        device: Device,
        roots: [RootBody],
        resources: Resources,
        limits: [String: Double],
        warnings: [Warning],
        work: Work? = nil,
        whitening: WhiteningBody? = nil,
        collections: [CollectionBody]? = nil
    ) {
        self.collections = collections
        self.work = work
        self.whitening = whitening
        self.version = version
        self.uptime = uptime
        self.counts = counts
        self.progress = progress
        self.model = model
        self.head = head
        self.device = device
        self.roots = roots
        self.resources = resources
        self.limits = limits
        self.warnings = warnings
    }

    enum CodingKeys: String, CodingKey {
        case version, counts, progress, work, model, head, whitening, device, roots, resources, limits, warnings
        case collections
        case uptime = "uptime_s"
    }
}

/// Something that works, but not as well as it could, with what to do about it.
package struct Warning: Codable, Sendable, Equatable {
    /// A stable word, such as `untrained-model`, `disk-full`, `root-offline`, `watch-limit`.
    package var kind: String
    package var detail: String
    /// What the administrator can do.
    package var fix: String

    package init(kind: String, detail: String, fix: String) {
        self.kind = kind
        self.detail = detail
        self.fix = fix
    }
}

/// `GET /v1/page`: where a browser finds the page, with the token that it asks for.
package struct PageLink: Codable, Sendable, Equatable {
    package var url: String

    package init(url: String) { self.url = url }
}

/// `GET /v1/version`.
package struct VersionResponse: Codable, Sendable, Equatable {
    package var name: String
    package var version: String
    package var api: Int
    package var capabilities: [String]
    /// Versions of the C libraries in use, by name.
    package var libraries: [String: String]

    package init(name: String, version: String, api: Int, capabilities: [String], libraries: [String: String]) {
        self.name = name
        self.version = version
        self.api = api
        self.capabilities = capabilities
        self.libraries = libraries
    }
}

/// `GET /readyz`: 200 when `ready`, else 503.
package struct ReadinessResponse: Codable, Sendable, Equatable {
    package struct Check: Codable, Sendable, Equatable {
        package var name: String
        package var ok: Bool
        package var detail: String

        package init(name: String, ok: Bool, detail: String) {
            self.name = name
            self.ok = ok
            self.detail = detail
        }
    }

    package var ready: Bool
    package var checks: [Check]

    package init(ready: Bool, checks: [Check]) {
        self.ready = ready
        self.checks = checks
    }
}
