internal import Platform

/// Bytes of files that all ingestors together hold between reading and the embedder's bulk queue, so that memory does not
/// grow with the number of collections.
package final class ReadBudget: Sendable {
    private let byteCount: Int
    private let held = Monitor(0)

    /// - Parameter byteCount: a file that is larger passes alone.
    package init(byteCount: Int = 256 << 20) { self.byteCount = byteCount }

    /// Waits until there is room for a file; `give` follows with the same count.
    func take(_ count: Int) {
        _ = held.wait { held -> Bool? in
            guard held == 0 || held + count <= self.byteCount else { return nil }
            held += count
            return true
        }
    }

    func give(_ count: Int) { held.withLockNotifyingAll { $0 -= count } }
}
