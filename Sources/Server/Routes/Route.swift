internal import Wire

/// One entry of the route table.
struct Route: Sendable {
    enum Access: Sendable {
        /// Without a token: health, and the page's own files.
        case open
        case read
        case administer
    }

    let method: String
    /// As in documentation, such as `/v1/images/{id}/content`.
    let pattern: String
    var access = Access.read
    /// Names of the query parameters it takes.
    var parameters: [String] = []
    var body = BodyRule.none
    /// The query deadline applies, and the limit of searches at once.
    var isSearch = false
    /// Served where the page is.
    var isPage = false
    let handle: @Sendable (Call) throws(Problem) -> Response

    /// `pattern`'s components.
    fileprivate var components: [Substring] { pattern.dropFirst().split(separator: "/") }

    /// The values of `{...}` when the path is this route's; nil when it is not.
    fileprivate func captures(_ path: [String]) -> [String]? {
        let components = components
        guard components.count == path.count else { return nil }
        var captures: [String] = []
        for (expected, got) in zip(components, path) {
            if expected.first == "{" { captures.append(got) } else if expected != got { return nil }
        }
        return captures
    }
}

/// A request that passed every check.
struct Call {
    let id: String
    let head: RequestHead
    /// Values of the pattern's `{...}`, in order.
    let captures: [String]
    let parameters: QueryParameters
    let body: [UInt8]
    let file: TemporaryFile?
}

/// Finds the route of a request.
struct Router: Sendable {
    enum Match {
        case found(Route, captures: [String])
        /// The path exists with these methods.
        case wrongMethod(allowed: [String])
        case unknown
    }

    let routes: [Route]

    func match(method: String, path: [String], servesPage: Bool) -> Match {
        var allowed: Set<String> = []
        for route in routes where !route.isPage || servesPage {
            guard let captures = route.captures(path) else { continue }
            // HEAD is GET whose body the library leaves out.
            if route.method == method || (route.method == "GET" && method == "HEAD") {
                return .found(route, captures: captures)
            }
            allowed.insert(route.method)
            if route.method == "GET" { allowed.insert("HEAD") }
        }
        return allowed.isEmpty ? .unknown : .wrongMethod(allowed: allowed.sorted())
    }
}
