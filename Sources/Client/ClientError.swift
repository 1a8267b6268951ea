internal import Foundation
internal import Platform
internal import Wire

/// Why a command ended early: how the shell learns of it, what happened, and what to do next.
struct ClientError: Error, Equatable {
    let exitCode: ExitCode
    /// A stable word: the daemon's `kind` where the daemon refused.
    let kind: String
    let detail: String
    /// The next step, when there is one.
    let fix: String?

    init(_ exitCode: ExitCode, kind: String, _ detail: String, fix: String? = nil) {
        self.exitCode = exitCode
        self.kind = kind
        self.detail = detail
        self.fix = fix
    }

    /// What any error means to the shell.
    init(_ error: any Error) {
        switch error {
        case let error as ClientError: self = error
        case let error as UsageError: self = .usage(error.detail, fix: error.fix)
        case let error as CocoaError: self = .failed(error.reason)
        default: self = .failed("\(error)")
        }
    }

    static func usage(_ detail: String, fix: String? = nil) -> ClientError {
        ClientError(.usage, kind: "usage", detail, fix: fix)
    }

    static func failed(_ detail: String, fix: String? = nil) -> ClientError {
        ClientError(.failed, kind: "failed", detail, fix: fix)
    }

    /// A reply that is not HTTP/1.1 as this client reads it.
    static func malformedReply(_ detail: String) -> ClientError {
        ClientError(
            .failed,
            kind: "malformed-reply",
            "the reply makes no sense: \(detail)",
            fix: "check that the socket belongs to likenessd: likeness doctor"
        )
    }
}

extension CocoaError {
    /// The kernel's reason and the file, instead of Foundation's whole report.
    var reason: String {
        let cause = (underlying as? POSIXError).map { SystemError(code: $0.code.rawValue, operation: "").reason }
        let reason = cause ?? localizedDescription
        return filePath.map { "\($0): \(reason)" } ?? reason
    }
}

extension DecodingError {
    /// Which member is at fault, instead of the decoder's whole report.
    var reason: String {
        let (context, fault): (Context, String) =
            switch self {
            case .keyNotFound(let key, let context): (context, "`\(key.stringValue)` is missing")
            case .valueNotFound(_, let context): (context, "a value is missing")
            case .typeMismatch(let type, let context): (context, "a value is not of the type \(type)")
            case .dataCorrupted(let context): (context, context.debugDescription)
            @unknown default: (Context(codingPath: [], debugDescription: ""), "\(self)")
            }
        let place = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
        return place.isEmpty ? fault : "\(fault), at \(place)"
    }
}

/// An `application/problem+json` body, read leniently: a newer daemon may know kinds that this client does not.
private struct ProblemBody: Decodable {
    var kind: String?
    var detail: String?
    var retryAfter: Int?

    enum CodingKeys: String, CodingKey {
        case kind, detail
        case retryAfter = "retry_after"
    }
}

extension ClientError {
    /// The error that a reply outside 200...299 means.
    init(status: Int, body: [UInt8]) {
        let problem = try? JSONDecoder().decode(ProblemBody.self, from: Data(body))
        // A wrong name is a mistake, not a search without results.
        let mistakes = [Problem.Kind.collectionNotFound, .rootNotFound].map(\.rawValue)
        let isMistaken = problem?.kind.map(mistakes.contains) ?? false
        let exitCode: ExitCode =
            switch status {
            case 404 where !isMistaken: .noResult
            case 400..<500: .refused
            default: .failed
            }
        let kind = problem?.kind ?? "http-\(status)"
        let fix: String? =
            switch Problem.Kind(rawValue: kind) {
            case .forbidden:
                "ask as root, as the daemon's user or as a member of the group `likeness`: "
                    + "sudo usermod -aG likeness $USER, then log in again"
            case .collectionNotFound: "all of them: likeness collections; a new one: likeness collections create NAME"
            case .rootNotFound: "all folders: likeness status; a new one: likeness watch DIR"
            case .imageUnsupported: "give a JPEG or PNG file"
            case .storageFull: "free some space on the daemon's disk; it resumes by itself"
            case .notReady, .daemonStopping, .overloaded:
                problem?.retryAfter.map { "try again in \($0) s" } ?? "try again in a moment"
            default: nil
            }
        self.init(exitCode, kind: kind, problem?.detail ?? "the daemon answered with status \(status)", fix: fix)
    }
}
