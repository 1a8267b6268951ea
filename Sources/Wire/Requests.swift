package import Filters

/// `POST /v1/search` with a JSON body instead of image bytes.
package struct SearchRequest: Codable, Sendable, Equatable {
    /// Search by a stored image; it is left out of the results.
    package var id: UInt64?
    /// Search by an image in base64.
    package var image: String?
    /// 1...1000; 10 when absent.
    package var limit: Int?
    package var offset: Int?
    /// Results below it are left out, -1...1.
    package var minScore: Double?
    /// Scan every vector instead of the graph.
    package var exact: Bool?
    /// `default` when absent.
    package var collection: String?
    /// Only images that match; see `Filter`.
    package var filter: JSONValue?

    package init(
        id: UInt64? = nil,
        image: String? = nil,
        limit: Int? = nil,
        offset: Int? = nil,
        minScore: Double? = nil,
        exact: Bool? = nil,
        collection: String? = nil,
        filter: JSONValue? = nil
    ) {
        self.id = id
        self.image = image
        self.limit = limit
        self.offset = offset
        self.minScore = minScore
        self.exact = exact
        self.collection = collection
        self.filter = filter
    }

    enum CodingKeys: String, CodingKey {
        case id, image, limit, offset, exact, collection, filter
        case minScore = "min_score"
    }
}

/// `POST /v1/roots`, `PATCH /v1/roots`, `DELETE /v1/roots`, `POST /v1/rescan` (where nil means all roots).
package struct RootRequest: Codable, Sendable, Equatable {
    /// Absolute path of a folder.
    package var path: String?
    /// Instead of `path`, its bytes in percent-encoding, as answers have them.
    package var pathBytes: String?
    /// A new root's collection, `default` when absent. For a known root: the one it must be in, any when absent.
    package var collection: String?
    /// What is looked at below the folder (`RootBody.settings`); null takes a member back.
    package var settings: [String: JSONValue]?
    /// Only of a rescan: the files that are missing in the folder, as it stands there now, are gone for good.
    package var acceptMissing: Bool?

    package init(
        path: String?,
        collection: String? = nil,
        settings: [String: JSONValue]? = nil,
        acceptMissing: Bool? = nil
    ) {
        self.path = path
        self.collection = collection
        self.settings = settings
        self.acceptMissing = acceptMissing
    }

    enum CodingKeys: String, CodingKey {
        case path, collection, settings
        case pathBytes = "path_bytes"
        case acceptMissing = "accept_missing"
    }
}

/// `POST /v1/failures/retry`: what is absent limits nothing.
package struct RetryRequest: Codable, Sendable, Equatable {
    /// As in `FailureBody`.
    package var kind: String?
    /// Absolute: a file, or a folder with all in it.
    package var path: String?
    /// As in `RootRequest`.
    package var pathBytes: String?
    package var collection: String?

    package init(kind: String? = nil, path: String? = nil, collection: String? = nil) {
        self.kind = kind
        self.path = path
        self.collection = collection
    }

    enum CodingKeys: String, CodingKey {
        case kind, path, collection
        case pathBytes = "path_bytes"
    }
}

/// `POST /v1/models/{name}/use`.
package struct ModelUseRequest: Codable, Sendable, Equatable {
    /// The model's default when absent.
    package var head: String?

    package init(head: String?) { self.head = head }
}
