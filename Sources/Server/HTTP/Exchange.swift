internal import Platform
internal import Wire

/// One request and its reply, from the request line to the last byte; touched by the connection's thread only.
final class Exchange {
    private let service: Service
    private let policy: AccessPolicy
    private let connection: Connection
    /// In the reply and in the log.
    let id: String
    private let target: String
    private let start = Instant.now

    /// Whether the header was looked at.
    private(set) var hasHead = false
    private var accepted: Accepted?
    private var body: RequestBody?
    private var status: Int?
    private var seconds: Double?
    private var failure: Problem?

    /// A request whose header is in order.
    private struct Accepted {
        let head: RequestHead
        let route: Route
        let captures: [String]
        let parameters: QueryParameters
    }

    init(service: Service, policy: AccessPolicy, connection: Connection, target: String) {
        self.service = service
        self.policy = policy
        self.connection = connection
        self.target = target
        id = [UInt8].random(count: 8).hexadecimal
        service.metrics.requestBegun()
        connection.allow(service.limits.headerSeconds, late: late(408, "the header did not arrive in time"))
    }

    private func late(_ status: Int, _ detail: String) -> Problem {
        var problem = Problem(.timeout, status: status, detail)
        problem.instance = id
        return problem
    }

    /// The header is complete. Refuses the request now, before its body, where it can be refused.
    ///
    /// - Returns: false when the connection has to be dropped.
    func receiveHead(request: OpaquePointer, method: String, version: String) -> Bool {
        hasHead = true
        do throws(Problem) {
            let head = try RequestHead(request: request, method: method, version: version, target: target)
            try accept(head)
        } catch {
            return reply(problem: error, closing: true, on: request)
        }
        let limit =
            if case .file? = accepted?.route.body { service.limits.modelBodySeconds } else {
                service.limits.bodySeconds
            }
        return connection.allow(limit, late: late(408, "the body did not arrive in time"))
    }

    private func accept(_ head: RequestHead) throws(Problem) {
        try head.checkFraming(service.limits)
        if let refusal = connection.refusal { throw refusal }
        try policy.checkOrigin(head, peer: connection.peer)
        guard !service.isStopping else { throw Problem(.daemonStopping, "the daemon is stopping", retryAfter: 5) }
        let match = service.router.match(method: head.method, path: head.path, servesPage: policy.servesPage)
        guard case .found(let route, let captures) = match, case .open = route.access else {
            try policy.checkToken(head)
            guard case .found(let route, let captures) = match else { throw missing(match) }
            if case .administer = route.access { try policy.checkAdministrator(connection.peer) }
            return try accept(head, route: route, captures: captures)
        }
        try accept(head, route: route, captures: captures)
    }

    private func accept(_ head: RequestHead, route: Route, captures: [String]) throws(Problem) {
        let parameters = try QueryParameters(head.query, known: route.parameters)
        accepted = Accepted(head: head, route: route, captures: captures, parameters: parameters)
        guard head.isChunked || (head.contentLength ?? 0) > 0 else { return }
        let (directory, name) = (service.control.temporaryDirectory, "upload-\(id)")
        body = try RequestBody(rule: route.body, contentLength: head.contentLength, memory: service.bodyMemory) {
            () throws(Problem) in try TemporaryFile(directory: directory, name: name)
        }
    }

    private var allowedMethods: [String] = []

    private func missing(_ match: Router.Match) -> Problem {
        guard case .wrongMethod(let allowed) = match else {
            return Problem(
                .notFound,
                "there is no such path; addresses look like http://d/v1/status, where the part after // is the host"
            )
        }
        allowedMethods = allowed
        return Problem(.methodNotAllowed, "this path takes \(allowed.joined(separator: ", "))")
    }

    /// A piece of the body.
    ///
    /// - Returns: false when the connection has to be dropped.
    func receive(_ piece: UnsafeRawBufferPointer) -> Bool {
        guard let body else { return false }
        if body.append(piece, drainedByteCount: service.limits.drainedByteCount) { return true }
        // The library takes replies before a body or after it, not in its middle.
        var problem = body.failure ?? Problem(.tooLarge, "the body is too long")
        problem.instance = id
        note(problem)
        connection.cut(telling: problem)
        return false
    }

    /// The request is complete: does what it asks.
    ///
    /// - Returns: false when the connection has to be dropped.
    func finish(request: OpaquePointer) -> Bool {
        guard let accepted else { return false }
        if let failure = body?.failure { return reply(problem: failure, closing: false, on: request) }
        let isSearch = accepted.route.isSearch
        let limit = isSearch ? service.limits.querySeconds : nil
        guard connection.allow(limit, late: late(504, "the search took longer than \(service.limits.querySeconds) s"))
        else { return false }
        let call = Call(
            id: id,
            head: accepted.head,
            captures: accepted.captures,
            parameters: accepted.parameters,
            body: body?.bytes ?? [],
            file: body?.file
        )
        do throws(Problem) {
            let response =
                try isSearch
                ? service.searching { () throws(Problem) in try accepted.route.handle(call) }
                : accepted.route.handle(call)
            body = nil
            return reply(response, on: request)
        } catch {
            body = nil
            return reply(problem: error, closing: false, on: request)
        }
    }

    private func reply(problem: Problem, closing: Bool, on request: OpaquePointer) -> Bool {
        var problem = problem
        problem.instance = id
        note(problem)
        var response = Response(problem)
        response.closesConnection = closing
        if !allowedMethods.isEmpty { response.fields.append(("Allow", allowedMethods.joined(separator: ", "))) }
        return reply(response, on: request)
    }

    private func note(_ problem: Problem) {
        failure = problem
        status = problem.status
    }

    private func reply(_ response: Response, on request: OpaquePointer) -> Bool {
        // From here on nobody else writes to the socket.
        guard connection.allow(service.limits.replySeconds) else { return false }
        var response = response
        if failure == nil { response.fields.append(("X-Request-Id", id)) }
        if service.isStopping { response.closesConnection = true }
        status = response.status
        seconds = .now - start
        if case .stream(let stream) = response.body { watch(stream) }
        return response.queue(on: request)
    }

    /// A stream may take any time, but its reader must go on taking, and it ends with the daemon.
    private func watch(_ stream: ResponseStream) {
        let (service, connection, id) = (service, connection, id)
        stream.begin { () throws(Problem) in
            guard !service.isStopping else { throw Problem(.daemonStopping, "the daemon is stopping") }
            guard connection.allow(service.limits.streamSeconds) else {
                throw Problem(.timeout, "the reader took nothing for \(service.limits.streamSeconds) s")
            }
        } onFailure: { problem in
            service.log.warning("request id=\(id) broke off: \(problem.detail)")
        }
    }

    /// The reply is out, or the connection is broken.
    func end() {
        let seconds = seconds ?? (.now - start)
        let route = accepted.map { "\($0.route.method) \($0.route.pattern)" } ?? "none"
        service.metrics.requestEnded(route: route, status: status, seconds: seconds)
        if accepted?.route.isSearch == true, status == 200 { service.metrics.searched(seconds: seconds) }
        let line =
            "request id=\(id) uid=\(connection.peer.description) route=\"\(route)\" status=\(status ?? 499) "
            + "ms=\(Int((seconds * 1000).rounded()))"
        if let failure {
            service.log.info("\(line) kind=\(failure.kind.rawValue) detail=\"\(failure.detail)\"")
        } else if status == nil {
            service.log.info("\(line) detail=\"the connection ended before the reply\"")
        } else {
            service.log.debug(line)
        }
        connection.allow(service.limits.idleSeconds, isIdle: true)
    }
}
