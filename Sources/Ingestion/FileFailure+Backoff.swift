package import Catalog
internal import Imaging

/// The errors of one file, permanent or transient; transient ones have a backoff.
extension FileFailure {
    /// The kind of an image with fewer pixels than the rules want.
    package static let tooSmallKind = "too-small"
    /// The kind of a sidecar that is no document.
    static let invalidDocumentKind = "invalid-document"

    /// The failure of an image of which the shorter side has fewer than `minimum` pixels; nil when it has enough.
    static func tooSmall(_ width: UInt32, _ height: UInt32, _ minimum: Int) -> FileFailure? {
        guard min(width, height) < minimum else { return nil }
        let detail = "\(width) x \(height) pixels; the folder's settings want \(minimum) at the shorter side"
        return FileFailure(kind: tooSmallKind, message: detail, attempts: 1, nextAttempt: nil)
    }

    /// Whether another attempt may go better: its time has come, or the settings do not want the pixels any more.
    func isDue(_ settings: RootSettings, now: Int64) -> Bool {
        if let nextAttempt { return nextAttempt <= now }
        guard kind == Self.tooSmallKind else { return false }
        // `tooSmall` wrote these, and nothing else that tells the size of an image that is left out.
        let sides = message.prefix { $0 != "p" }.split(separator: " x ").compactMap { side in
            UInt32(side.filter { $0 != " " })
        }
        guard sides.count == 2 else { return true }
        return Self.tooSmall(sides[0], sides[1], settings.minimumPixels) == nil
    }

    /// A permanent error: the image itself is at fault, and only a change of the file helps.
    static func image(_ error: ImagingError) -> FileFailure {
        FileFailure(kind: error.code.rawValue, message: error.detail, attempts: 1, nextAttempt: nil)
    }

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
