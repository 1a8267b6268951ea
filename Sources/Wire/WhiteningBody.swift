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
