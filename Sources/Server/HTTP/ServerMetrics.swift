internal import Platform

/// What the server counts of itself.
final class ServerMetrics: Sendable {
    struct Counts {
        /// Replies by route and status.
        var replies: [Reply: Int] = [:]
        var requestSeconds = 0.0
        var requestsAtWork = 0
        var connectionsAccepted = 0
        var connectionsRefused = 0
        var connectionsCut = 0
        /// Cumulative counts of searches that took at most the bucket's seconds.
        var searchBuckets = [Int](repeating: 0, count: ServerMetrics.buckets.count)
        var searchCount = 0
        var searchSeconds = 0.0
    }

    struct Reply: Hashable {
        let route: String
        let status: Int
    }

    /// Upper bounds of the histogram of search times, in seconds.
    static let buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

    private let counts = Monitor(Counts())

    var snapshot: Counts { counts.withLockNotifyingAll { $0 } }

    func requestBegun() { counts.withLockNotifyingAll { $0.requestsAtWork += 1 } }

    /// `status` is nil when the client went away or was cut before a reply.
    func requestEnded(route: String, status: Int?, seconds: Double) {
        counts.withLockNotifyingAll {
            $0.requestsAtWork -= 1
            $0.requestSeconds += seconds
            $0.replies[Reply(route: route, status: status ?? 499), default: 0] += 1
        }
    }

    func searched(seconds: Double) {
        counts.withLockNotifyingAll {
            $0.searchCount += 1
            $0.searchSeconds += seconds
            for (index, bound) in Self.buckets.enumerated() where seconds <= bound { $0.searchBuckets[index] += 1 }
        }
    }

    func connectionOpened(isRefused: Bool) {
        counts.withLockNotifyingAll {
            $0.connectionsAccepted += 1
            if isRefused { $0.connectionsRefused += 1 }
        }
    }

    func connectionsCut(_ count: Int) { counts.withLockNotifyingAll { $0.connectionsCut += count } }
}
