package import Filters

/// `POST /v1/collections`.
package struct CollectionRequest: Codable, Sendable, Equatable {
    package var name: String

    package init(name: String) { self.name = name }
}

/// One collection at a glance.
package struct CollectionBody: Codable, Sendable, Equatable {
    package var name: String
    package var counts: StatusResponse.Counts
    /// Watched folders.
    package var roots: Int
    /// Of its store.
    package var diskBytes: UInt64
    /// Absent when its vectors are compared as the network gives them.
    package var whitening: WhiteningBody?
    /// Why it cannot be used; its counts are zeros then. Absent when it can.
    package var problem: String?

    package init(
        name: String,
        counts: StatusResponse.Counts,
        roots: Int,
        diskBytes: UInt64,
        whitening: WhiteningBody? = nil,
        problem: String? = nil
    ) {
        self.name = name
        self.counts = counts
        self.roots = roots
        self.diskBytes = diskBytes
        self.whitening = whitening
        self.problem = problem
    }

    enum CodingKeys: String, CodingKey {
        case name, counts, roots, whitening, problem
        case diskBytes = "disk_bytes"
    }
}

/// `GET /v1/collections`: by name.
package struct CollectionList: Codable, Sendable, Equatable {
    package var collections: [CollectionBody]

    package init(collections: [CollectionBody]) { self.collections = collections }
}

/// One watched folder. Counts are of files.
package struct RootBody: Codable, Sendable, Equatable {
    package var path: String
    /// As an image's.
    package var pathBytes: String?
    /// `scanning`, `live`, `polling`, `offline`, `replaced`, `paused`.
    package var state: String
    package var detail: String
    /// The file that is being loaded, or the latest of several; absent when none is.
    package var currentPath: String?
    /// All that lies below: every file, and every folder that is not entered. The sum of the counts below.
    package var entries: Int
    package var indexedFiles: Int
    package var failedFiles: Int
    package var waitingFiles: Int
    /// Entries that are left out, by reason: `rule`, `hidden`, `link`, `other_file_system`, `unreadable_folder`,
    /// `too_deep`, `not_an_image`, `too_small`, `special`, `document`, `removed`; no zeros.
    package var excludedFiles: [String: Int]
    /// What is looked at below it, as far as that differs from the default: `include`, `exclude` (globs of gitignore(5)),
    /// `hidden`, `ignore_files`, `minimum_bytes`, `minimum_pixels`, `other_file_systems`, `maximum_depth`,
    /// `document_required`,
    /// `rescan_interval_s`. Absent where nothing does.
    package var settings: [String: JSONValue]?
    /// Whose images its files become; older daemons have one collection and say nothing of it.
    package var collection: String?

    package init(
        path: String,
        state: String,
        detail: String,
        currentPath: String? = nil,
        entries: Int,
        indexedFiles: Int,
        failedFiles: Int,
        waitingFiles: Int,
        excludedFiles: [String: Int] = [:],
        settings: [String: JSONValue]? = nil,
        collection: String? = nil,
        pathBytes: String? = nil
    ) {
        self.collection = collection
        self.path = path
        self.pathBytes = pathBytes
        self.state = state
        self.detail = detail
        self.currentPath = currentPath
        self.entries = entries
        self.excludedFiles = excludedFiles
        self.settings = settings
        self.indexedFiles = indexedFiles
        self.failedFiles = failedFiles
        self.waitingFiles = waitingFiles
    }

    enum CodingKeys: String, CodingKey {
        case path, state, detail, entries, settings, collection
        case pathBytes = "path_bytes"
        case indexedFiles = "indexed_files"
        case failedFiles = "failed_files"
        case waitingFiles = "waiting_files"
        case currentPath = "current_path"
        case excludedFiles = "excluded_files"
    }
}

/// An entry below a root that is left out (`GET /v1/exclusions`).
package struct ExclusionBody: Codable, Sendable, Equatable {
    /// Absolute. A folder stands for all that lies in it.
    package var path: String
    /// As an image's.
    package var pathBytes: String?
    /// A stable word, as in `RootBody.excludedFiles`.
    package var reason: String

    package init(path: String, reason: String, pathBytes: String? = nil) {
        self.path = path
        self.pathBytes = pathBytes
        self.reason = reason
    }

    enum CodingKeys: String, CodingKey {
        case path, reason
        case pathBytes = "path_bytes"
    }
}

/// `GET /v1/exclusions`: folder by folder, in order of their names.
package struct ExclusionPage: Codable, Sendable, Equatable {
    package var exclusions: [ExclusionBody]
    package var next: String?

    package init(exclusions: [ExclusionBody], next: String?) {
        self.exclusions = exclusions
        self.next = next
    }
}

/// `GET /v1/roots`.
package struct RootListResponse: Codable, Sendable, Equatable {
    package var roots: [RootBody]

    package init(roots: [RootBody]) { self.roots = roots }
}

/// The answer to `DELETE /v1/roots` where there is something to say.
package struct RootRemovalResponse: Codable, Sendable, Equatable {
    package var warnings: [Warning]?

    package init(warnings: [Warning]?) { self.warnings = warnings }
}

/// The whitening that a collection's vectors go through: in `GET /v1/status`, and the answer to `PUT /v1/whitening`.
package struct WhiteningBody: Codable, Sendable, Equatable {
    /// Distinct vectors that it was learned from.
    package var vectors: Int
    /// Digest of its numbers, 64 hexadecimal digits.
    package var sha256: String

    package init(vectors: Int, sha256: String) {
        self.vectors = vectors
        self.sha256 = sha256
    }
}
