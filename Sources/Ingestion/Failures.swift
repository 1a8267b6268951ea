internal import Catalog
internal import Embedding
internal import Imaging
internal import Platform

/// Classifies the errors of one file as permanent or transient, and gives the transient ones a backoff.
enum Failures {
    /// The image itself is at fault: only a change of the file helps.
    static func permanent(_ kind: String, _ message: String, attempts: UInt32 = 1) -> FileFailure {
        FileFailure(kind: kind, message: message, attempts: attempts, nextAttempt: nil)
    }

    static func image(_ error: ImagingError) -> FileFailure { permanent(error.code.rawValue, error.detail) }

    /// A transient error: something around the file is at fault. It is tried again after a backoff, which is the next of
    /// `delays` for each attempt, and after the last of them not before the file changes.
    static func transient(
        _ kind: String,
        _ message: String,
        after earlier: FileRow?,
        delays: [Double],
        now: Int64
    ) -> FileFailure {
        var attempts: UInt32 = 1
        if case .failed(let failure) = earlier?.state, failure.kind == kind {
            attempts = failure.attempts == .max ? .max : failure.attempts + 1
        }
        let index = Int(attempts) - 1
        let next = index < delays.count ? now + Int64(delays[index] * 1e9) : nil
        return FileFailure(kind: kind, message: message, attempts: attempts, nextAttempt: next)
    }
}
