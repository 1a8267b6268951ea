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
