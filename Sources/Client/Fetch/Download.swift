internal import Platform

/// Brings a partial file to its end: asks for what is missing, takes no byte more than the manifest says, and checks the
/// digest before anybody else sees the file.
struct Download {
    /// As the manifest calls the model, for messages.
    let name: String
    let byteCount: UInt64
    let digest: FileDigest
    let address: SourceAddress
    /// Seconds without any byte until the other side is given up.
    var stallSeconds = 30
    let terminal: Terminal
    /// Whether only a terminal gets to see the progress.
    var isQuiet = false

    /// Returns when `part` is the file of the manifest.
    ///
    /// - Throws: `ClientError`. What has come stays for the next time, unless it is not the wanted file: then it is gone.
    func run(into part: PartialFile) throws {
        defer { terminal.endProgress() }
        if part.byteCount == byteCount, try digest(of: part) == digest { return }
        // Whole but another one, as after a change of the manifest.
        if part.byteCount >= byteCount { try part.clear() }
        if part.byteCount > 0, !isQuiet {
            terminal.note("continuing after \(Text.bytes(part.byteCount)) of \(Text.bytes(byteCount))")
        }
        do { try receiveRest(into: part) } catch is RangeRefused {
            try part.clear()
            try receiveRest(into: part)
        }
        guard part.byteCount == byteCount else {
            throw interrupted("\(host) ended early, after \(Text.bytes(part.byteCount)) of \(Text.bytes(byteCount))")
        }
        let found = try digest(of: part)
        guard found == digest else {
            part.remove()
            throw ClientError.wrongDigest(of: "what \(host) sent", name: name, found: found, expected: digest)
        }
    }

    private func digest(of part: PartialFile) throws -> FileDigest {
        terminal.draw("checking \(Text.bytes(byteCount))")
        return try part.digest(digest.algorithm)
    }

    // MARK: - Receiving

    /// The other side cannot go on where `part` ends.
    private struct RangeRefused: Error {}

    private func receiveRest(into part: PartialFile) throws {
        try part.checkRoom(for: byteCount - part.byteCount)
        terminal.draw("connecting to \(Text.visible(host))")
        let offset = part.byteCount
        let display = TransferDisplay(TransferMeter(total: byteCount, received: offset), terminal, isQuiet: isQuiet)
        var hasBegun = false
        do {
            let transfer = Transfer(destination: .network(address), offset: offset, stallSeconds: stallSeconds)
            let head = try transfer.run { head, bytes in
                if !hasBegun { try begin(head, offset, part) }
                hasBegun = true
                guard UInt64(bytes.count) <= byteCount - part.byteCount else {
                    part.remove()
                    throw wrongSize("more than \(Text.count(Int(byteCount))) bytes")
                }
                try part.append(bytes)
                display.show(part.byteCount)
            }
            if !hasBegun { try begin(head, offset, part) }
        } catch let failure as Transfer.Failure {
            throw error(of: failure)
        }
    }

    /// Looks at a reply before the first byte of its body is taken.
    private func begin(_ head: ReplyHead, _ offset: UInt64, _ part: PartialFile) throws {
        switch head.status {
        case 200:
            if let length = head.contentLength, length != byteCount { throw wrongSize("\(length) bytes") }
            // The whole file where a range was asked for: the server knows no ranges.
            if offset > 0 { try part.clear() }
        case 206 where offset > 0:
            if let length = head.fullLength, length != byteCount { throw wrongSize("\(length) bytes") }
            guard head.rangeStart == offset else { throw RangeRefused() }
        case 416 where offset > 0: throw RangeRefused()
        default:
            throw ClientError.failed(
                "\(host) answered with status \(head.status) for \(address.text)",
                fix: Self.otherPlace
            )
        }
    }

    // MARK: - Errors

    private static let otherPlace = "another place: --from ADDRESS or --from FILE"

    private var host: String { address.host }

    private func wrongSize(_ offered: String) -> ClientError {
        ClientError(
            .failed,
            kind: "wrong-size",
            "what \(host) offers is not \(name): \(offered), where \(Text.count(Int(byteCount))) are expected",
            fix: Self.otherPlace
        )
    }

    private func interrupted(_ detail: String) -> ClientError {
        ClientError.failed(detail, fix: "run the command again: it continues where this one stopped")
    }

    private func error(of failure: Transfer.Failure) -> ClientError {
        switch failure {
        case .unreachable(_, let reason):
            ClientError(
                .failed,
                kind: "unreachable",
                "cannot reach \(host): \(reason)",
                fix: "without a network, bring \(address.text) here by other means, then: "
                    + "likeness model fetch \(name) --from FILE (or likeness model import FILE --name \(name), unchecked)"
            )
        case .untrusted(let reason):
            ClientError(
                .failed,
                kind: "untrusted",
                "\(host) does not prove who it is: \(reason)",
                fix: "check the clock, the package ca-certificates and the proxy in between"
            )
        case .misdirected(let reason):
            ClientError.failed("\(host) redirects to a place that is not allowed: \(reason)", fix: Self.otherPlace)
        case .stalled: interrupted("\(host) sent nothing for \(stallSeconds) s")
        case .unsent(let reason), .malformed(let reason), .broken(let reason):
            interrupted("the connection to \(host) broke: \(reason)")
        }
    }
}

extension ClientError {
    /// A file that is not the manifest's.
    static func wrongDigest(of what: String, name: String, found: FileDigest, expected: FileDigest) -> ClientError {
        ClientError(
            .failed,
            kind: "wrong-digest",
            "\(what) is not \(name): its digest is \(found), where \(expected) is expected",
            fix: "nothing was changed; try again, or take it from another place: --from ADDRESS or --from FILE"
        )
    }
}
