internal import Catalog
internal import Embedding
internal import Imaging
internal import Platform

/// Turns what went wrong with one file into the ledger's words, and says when to try again.
enum Failures {
    /// The image itself is at fault: only a change of the file helps.
    static func permanent(_ kind: String, _ message: String, attempts: UInt32 = 1) -> FileFailure {
        FileFailure(kind: kind, message: message, attempts: attempts, nextAttempt: nil)
    }

    static func image(_ error: ImagingError) -> FileFailure { permanent(error.code.rawValue, error.detail) }

    /// Something around the file is at fault: tried again after each of `delays`, then not before it changes.
    static func passing(
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
