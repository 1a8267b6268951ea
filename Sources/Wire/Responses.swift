/// One image, as lists and `GET /v1/images/{id}` return it.
package struct ImageBody: Codable, Sendable, Equatable {
    package var id: UInt64
    /// The absolute path, UTF-8 (replacement characters where the name is not).
    package var path: String
    package var root: String
    /// `jpeg` or `png`.
    package var format: String
    /// Pixels, upright.
    package var width: Int
    package var height: Int
    package var bytes: UInt64
    /// Digest of the file, 64 hexadecimal digits.
    package var sha256: String
    /// ISO 8601, UTC.
    package var modified: String
    package var added: String
    /// The JSON object beside the image; absent when there is none.
    package var document: JSONValue?

    package init(
        id: UInt64,
        path: String,
        root: String,
        format: String,
        width: Int,
        height: Int,
        bytes: UInt64,
        sha256: String,
        modified: String,
        added: String,
        document: JSONValue?
    ) {
        self.id = id
        self.path = path
        self.root = root
        self.format = format
        self.width = width
        self.height = height
        self.bytes = bytes
        self.sha256 = sha256
        self.modified = modified
        self.added = added
        self.document = document
    }
}

/// One search result.
package struct SearchResultBody: Codable, Sendable, Equatable {
    package var id: UInt64
    /// Cosine similarity, -1...1.
    package var score: Double
    /// sqrt(2 - 2 score), 0...2.
    package var distance: Double
    package var path: String
    package var width: Int
    package var height: Int
    package var document: JSONValue?

    package init(
        id: UInt64,
        score: Double,
        distance: Double,
        path: String,
        width: Int,
        height: Int,
        document: JSONValue?
    ) {
        self.id = id
        self.score = score
        self.distance = distance
        self.path = path
        self.width = width
        self.height = height
        self.document = document
    }
}

/// Answer to `POST /v1/search`.
package struct SearchResponse: Codable, Sendable, Equatable {
    /// Milliseconds by stage.
    package struct Took: Codable, Sendable, Equatable {
        /// Decode, queue and compute the query's vector; 0 for a search by id.
        package var embed: Double
        package var search: Double
        package var load: Double
        package var total: Double

        package init(embed: Double, search: Double, load: Double, total: Double) {
            self.embed = embed
            self.search = search
            self.load = load
            self.total = total
        }
    }

    package var results: [SearchResultBody]
    /// Searchable images in the collection; with a filter, those that match it.
    package var total: Int
    package var tookMilliseconds: Took
    package var warnings: [Warning]?

    package init(results: [SearchResultBody], total: Int, tookMilliseconds: Took, warnings: [Warning]?) {
        self.results = results
        self.total = total
        self.tookMilliseconds = tookMilliseconds
        self.warnings = warnings
    }

    enum CodingKeys: String, CodingKey {
        case results, total, warnings
        case tookMilliseconds = "took_ms"
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

/// `GET /v1/images`: ordered by id; `next` is the cursor of the following page, absent on the last.
package struct ImagePage: Codable, Sendable, Equatable {
    package var images: [ImageBody]
    package var next: String?
    /// Images that match the filter, on all pages; absent without a filter.
    package var total: Int?

    package init(images: [ImageBody], next: String?, total: Int? = nil) {
        self.images = images
        self.next = next
        self.total = total
    }
}

/// `DELETE /v1/images?filter=`.
package struct RemovalResponse: Codable, Sendable, Equatable {
    /// Images that matched, and are gone.
    package var removed: Int

    package init(removed: Int) { self.removed = removed }
}

/// A file that could not be made searchable (`GET /v1/failures`).
package struct FailureBody: Codable, Sendable, Equatable {
    package var path: String
    /// A stable word, such as `corrupt`.
    package var kind: String
    package var message: String
    package var attempts: Int
    /// ISO 8601, UTC; absent when only a change to the file brings another try.
    package var nextAttempt: String?

    package init(path: String, kind: String, message: String, attempts: Int, nextAttempt: String?) {
        self.path = path
        self.kind = kind
        self.message = message
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }

    enum CodingKeys: String, CodingKey {
        case path, kind, message, attempts
        case nextAttempt = "next_attempt"
    }
}

/// `GET /v1/failures`.
package struct FailurePage: Codable, Sendable, Equatable {
    package var failures: [FailureBody]
    package var next: String?

    package init(failures: [FailureBody], next: String?) {
        self.failures = failures
        self.next = next
    }
}

/// One watched folder.
package struct RootBody: Codable, Sendable, Equatable {
    package var path: String
    /// `scanning`, `live`, `polling`, `offline`.
    package var state: String
    package var detail: String
    package var seen: Int
    package var indexed: Int
    package var failed: Int
    package var waiting: Int
    /// Whose images its files become; older daemons have one collection and say nothing of it.
    package var collection: String?

    package init(
        path: String,
        state: String,
        detail: String,
        seen: Int,
        indexed: Int,
        failed: Int,
        waiting: Int,
        collection: String? = nil
    ) {
        self.collection = collection
        self.path = path
        self.state = state
        self.detail = detail
        self.seen = seen
        self.indexed = indexed
        self.failed = failed
        self.waiting = waiting
    }
}

/// `GET /v1/roots`.
package struct RootList: Codable, Sendable, Equatable {
    package var roots: [RootBody]

    package init(roots: [RootBody]) { self.roots = roots }
}

/// A model as `GET /v1/models` lists it.
package struct ModelBody: Codable, Sendable, Equatable {
    package var name: String
    /// Such as `VGG19, widths 16-32-64-128-128`.
    package var architecture: String
    package var dimension: Int
    package var sha256: String
    package var defaultHead: String
    /// Seeded weights that nobody trained: they find copies, not similar pictures.
    package var untrained: Bool
    package var inUse: Bool
    package var licence: String?

    package init(
        name: String,
        architecture: String,
        dimension: Int,
        sha256: String,
        defaultHead: String,
        untrained: Bool,
        inUse: Bool,
        licence: String?
    ) {
        self.name = name
        self.architecture = architecture
        self.dimension = dimension
        self.sha256 = sha256
        self.defaultHead = defaultHead
        self.untrained = untrained
        self.inUse = inUse
        self.licence = licence
    }

    enum CodingKeys: String, CodingKey {
        case name, architecture, dimension, sha256, untrained, licence
        case defaultHead = "default_head"
        case inUse = "in_use"
    }
}

/// `GET /v1/models`.
package struct ModelList: Codable, Sendable, Equatable {
    package var models: [ModelBody]
    /// What `likeness model fetch` knows, fetched or not; older daemons say nothing of it.
    package var fetchable: [FetchableModel]?

    package init(models: [ModelBody], fetchable: [FetchableModel]? = nil) {
        self.models = models
        self.fetchable = fetchable
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

    package struct Progress: Codable, Sendable, Equatable {
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
        package var graphics: [GraphicsHealth]?
        /// All graphics devices of the machine, as far as they were looked at.
        package var known: [GraphicsDevice]?

        package init(
            backend: String,
            device: String,
            tier: String,
            threads: Int,
            reason: String,
            graphics: [GraphicsHealth]? = nil,
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
        /// Resident memory of the daemon, now and at its highest, in bytes.
        package var memory: UInt64
        package var memoryPeak: UInt64
        /// Bytes on disk of the collections, and left on their file system.
        package var disk: UInt64
        package var diskFree: UInt64

        package init(memory: UInt64, memoryPeak: UInt64, disk: UInt64, diskFree: UInt64) {
            self.memory = memory
            self.memoryPeak = memoryPeak
            self.disk = disk
            self.diskFree = diskFree
        }

        enum CodingKeys: String, CodingKey {
            case memory, disk
            case memoryPeak = "memory_peak"
            case diskFree = "disk_free"
        }
    }

    package var version: String
    /// Seconds since the daemon started.
    package var uptime: Double
    /// Of all collections, or of the one that was asked for; so are progress, roots and disk.
    package var counts: Counts
    package var progress: Progress
    package var work: Work?
    package var model: ModelBody
    package var head: String
    /// Of the collection that was asked for, else of `default`. Absent when vectors are compared as the network gives them.
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
        progress: Progress,
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

/// Any JSON value, for documents.
package enum JSONValue: Codable, Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .array(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .array(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}
