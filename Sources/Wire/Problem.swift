/// An error reply: `application/problem+json` (RFC 9457) with a stable `kind`.
package struct Problem: Codable, Sendable, Equatable, Error, CustomStringConvertible {
    /// The stable names; a client decides by these, never by text.
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case badRequest = "bad-request"
        case collectionNotFound = "collection-not-found"
        /// No watched folder has that path.
        case rootNotFound = "root-not-found"
        case conflict
        case daemonStopping = "daemon-stopping"
        case forbidden
        case imageCorrupt = "image-corrupt"
        case imageTooLarge = "image-too-large"
        case imageUnsupported = "image-unsupported"
        case `internal`
        case methodNotAllowed = "method-not-allowed"
        case notFound = "not-found"
        case notReady = "not-ready"
        case overloaded
        case storageFull = "storage-full"
        case timeout
        case tooLarge = "too-large"
        case unauthorized
        case unsupportedMediaType = "unsupported-media-type"

        /// The HTTP status that carries it.
        package var status: Int {
            switch self {
            case .badRequest: 400
            case .conflict: 409
            case .daemonStopping, .notReady, .overloaded: 503
            case .forbidden: 403
            case .imageCorrupt, .imageUnsupported: 422
            case .imageTooLarge, .tooLarge: 413
            case .internal: 500
            case .methodNotAllowed: 405
            case .collectionNotFound, .notFound, .rootNotFound: 404
            case .storageFull: 507
            case .timeout: 504
            case .unauthorized: 401
            case .unsupportedMediaType: 415
            }
        }

        /// A few words, the same for every occurrence.
        package var title: String { rawValue.replacing("-", with: " ") }
    }

    package var type: String
    package var title: String
    package var status: Int
    package var kind: Kind
    /// What happened and what to do.
    package var detail: String
    /// The request's id, as in the log.
    package var instance: String
    /// Seconds after which another try makes sense.
    package var retryAfter: Int?

    package init(_ kind: Kind, _ detail: String, instance: String = "", retryAfter: Int? = nil) {
        type = "urn:likeness:error:\(kind.rawValue)"
        title = kind.title
        status = kind.status
        self.kind = kind
        self.detail = detail
        self.instance = instance
        self.retryAfter = retryAfter
    }

    package var description: String { detail }

    enum CodingKeys: String, CodingKey {
        case type, title, status, kind, detail, instance
        case retryAfter = "retry_after"
    }
}
