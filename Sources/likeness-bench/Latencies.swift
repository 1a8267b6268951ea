import Platform
import Synchronization

/// How long searches took.
struct Latencies {
    var seconds: [Double] = []

    var count: Int { seconds.count }
    /// Microseconds that half of them took at most.
    var p50: Double { microseconds(at: 50) }
    var p99: Double { microseconds(at: 99) }

    /// Nearest rank; 0 when there is none.
    private func microseconds(at percent: Int) -> Double {
        guard !seconds.isEmpty else { return 0 }
        return (seconds.sorted()[count * percent / 100] * 1e7).rounded() / 10
    }
}

/// The same searches on several threads at once: how long each took, and how many there were a second.
struct SearchLoad {
    let latencies: Latencies
    let rate: Double

    /// Searches for each of `count` queries, `rounds` times on every thread.
    init(
        count: Int,
        rounds: Int,
        threadCount: Int,
        _ search: @escaping @Sendable (Int) throws -> Void
    ) throws {
        let times = Mutex<[Double]>([])
        let failure = Mutex<(any Error)?>(nil)
        let begin = Instant.now
        let threads = try (0..<threadCount).map { _ in
            try WorkerThread(name: "bench-search") {
                var mine: [Double] = []
                do {
                    for _ in 0..<rounds {
                        for query in 0..<count {
                            let start = Instant.now
                            try search(query)
                            mine.append(Instant.now - start)
                        }
                    }
                } catch { failure.withLock { $0 = error } }
                times.withLock { $0 += mine }
            }
        }
        for thread in threads { thread.join() }
        let seconds = Instant.now - begin
        if let error = failure.withLock({ $0 }) { throw error }
        latencies = Latencies(seconds: times.withLock { $0 })
        rate = (Double(latencies.count) / seconds).rounded()
    }
}
