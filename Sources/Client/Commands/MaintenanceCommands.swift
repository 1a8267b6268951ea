internal import Foundation
internal import Wire

extension CommandDescription {
    static let verify = CommandDescription(
        name: "verify",
        summary:
            "Reads everything that is stored and names what is damaged. Searches and loading continue. Without a daemon, or for a "
            + "backup: likenessd --verify DIR.",
        usage: "",
        examples: [
            Example("verify", "exit code 0: nothing is damaged; 5: something is"),
            Example("verify --json | jq -r 'select(.finding)|.finding.database'", "one JSON object a line"),
        ],
        operandCounts: 0...0,
        run: { invocation in
            let result = try Job(invocation: invocation).run("verify") { finding, terminal in
                let place = Text.visible("\(finding.database) \(finding.key)")
                terminal.print("\(terminal.colored("damaged", .red)) \(place): \(Text.visible(finding.detail))")
            }
            guard result.findings > 0 else {
                if !invocation.wantsJSON {
                    invocation.terminal.note("\(Text.count(result.records, "record")) checked; nothing is damaged")
                }
                return .ok
            }
            if !invocation.wantsJSON {
                invocation.terminal.note(
                    "\(Text.count(result.findings, "finding")) in \(Text.count(result.records, "record"))"
                )
                invocation.terminal.note(
                    "  damaged vectors and links: likeness rebuild; anything else: restore a backup"
                )
            }
            return .failed
        }
    )

    static let rebuild = CommandDescription(
        name: "rebuild",
        summary:
            "Discards the graph and links all vectors again. Damaged vectors are dropped and their photos are read again. "
            + "Searches continue, slower until it is done.",
        usage: "",
        examples: [Example("rebuild", "after likeness verify found damage, or when searches find too little")],
        operandCounts: 0...0,
        run: { invocation in
            let result = try Job(invocation: invocation).run("rebuild") { _, _ in }
            if !invocation.wantsJSON {
                if result.dropped > 0 {
                    invocation.terminal.note(
                        "\(Text.count(result.dropped, "image")) lost a damaged vector and will be read again"
                    )
                }
                let seconds = Text.duration(result.seconds)
                invocation.terminal.note("linked \(Text.count(result.records, "vector")) again in \(seconds)")
            }
            return .ok
        }
    )
}

/// A long job of the daemon, which answers line by line while it works.
struct Job {
    let invocation: Invocation
    /// Seconds without a line after which the daemon is taken for stuck.
    private static let timeout = 60

    /// Asks for the job and follows it to its end.
    ///
    /// - Parameters:
    ///   - name: of the route.
    ///   - show: prints a finding for people.
    /// - Returns: the last line.
    /// - Throws: `ClientError`, also when the answer ends without a result.
    func run(_ name: String, _ show: (JobLine.Finding, Terminal) -> Void) throws -> JobLine.Result {
        let terminal = invocation.terminal
        let request = HTTPRequest(method: "POST", path: "\(WireProtocol.prefix)/\(name)", timeout: Self.timeout)
        var rest: [UInt8] = []
        var result: JobLine.Result?
        defer { terminal.endProgress() }
        try invocation.client.stream(request) { piece in
            rest += piece
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let text = Array(rest[...end])
                rest.removeFirst(text.count)
                let line: JobLine = try DaemonClient.decode(text)
                if let problem = line.problem {
                    throw ClientError(status: problem.status, body: try Self.body(problem))
                }
                result = line.result ?? result
                if invocation.printedJSON(text) { continue }
                if let progress = line.progress { terminal.draw(Self.line(progress)) }
                if let finding = line.finding { show(finding, terminal) }
            }
        }
        guard let result else { throw ClientError.malformedReply("the last line of the job is missing") }
        return result
    }

    private static func line(_ progress: JobLine.JobProgress) -> String {
        let fraction = progress.total > 0 ? min(1, Double(progress.done) / Double(progress.total)) : 0
        let counts = "\(Text.count(progress.done)) of \(Text.count(progress.total))"
        return "\(Progress.bar(fraction)) \(Int(fraction * 100)) %, \(Text.visible(progress.step)) \(counts)"
    }

    private static func body(_ problem: Problem) throws -> [UInt8] { [UInt8](try JSONEncoder().encode(problem)) }
}
