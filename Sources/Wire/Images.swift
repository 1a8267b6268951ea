package import Filters

/// One image, as lists and `GET /v1/images/{id}` return it.
package struct ImageBody: Codable, Sendable, Equatable {
    package var id: UInt64
    /// The absolute path, UTF-8 (replacement characters where the name is not).
    package var path: String
    /// Its bytes in percent-encoding, where they are not UTF-8: two names can have one text.
    package var pathBytes: String?
    package var root: String
    /// As `pathBytes`, of the root.
    package var rootBytes: String?
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
        document: JSONValue?,
        pathBytes: String? = nil,
        rootBytes: String? = nil
    ) {
        self.id = id
        self.path = path
        self.pathBytes = pathBytes
        self.root = root
        self.rootBytes = rootBytes
        self.format = format
        self.width = width
        self.height = height
        self.bytes = bytes
        self.sha256 = sha256
        self.modified = modified
        self.added = added
        self.document = document
    }

    enum CodingKeys: String, CodingKey {
        case id, path, root, format, width, height, bytes, sha256, modified, added, document
        case pathBytes = "path_bytes"
        case rootBytes = "root_bytes"
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
    /// As an image's.
    package var pathBytes: String?
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
        document: JSONValue?,
        pathBytes: String? = nil
    ) {
        self.id = id
        self.score = score
        self.distance = distance
        self.path = path
        self.pathBytes = pathBytes
        self.width = width
        self.height = height
        self.document = document
    }

    enum CodingKeys: String, CodingKey {
        case id, score, distance, path, width, height, document
        case pathBytes = "path_bytes"
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
    /// As an image's.
    package var pathBytes: String?
    /// A stable word, such as `corrupt`.
    package var kind: String
    package var message: String
    package var attempts: Int
    /// ISO 8601, UTC; absent when only a change to the file brings another try.
    package var nextAttempt: String?

    package init(
        path: String,
        kind: String,
        message: String,
        attempts: Int,
        nextAttempt: String?,
        pathBytes: String? = nil
    ) {
        self.path = path
        self.pathBytes = pathBytes
        self.kind = kind
        self.message = message
        self.attempts = attempts
        self.nextAttempt = nextAttempt
    }

    enum CodingKeys: String, CodingKey {
        case path, kind, message, attempts
        case pathBytes = "path_bytes"
        case nextAttempt = "next_attempt"
    }
}

/// The answer to `POST /v1/failures/retry`.
package struct RetryResponse: Codable, Sendable, Equatable {
    /// Files that are tried again.
    package var queued: Int

    package init(queued: Int) { self.queued = queued }
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
