import Harness
import Platform
import Storage
import Synchronization
import VectorIndex

/// Searches one after the other on a thread of their own, until stopped.
final class BackgroundSearches: Sendable {
    private let isDone = Atomic(false)
    private let result = Monitor<Result<Latencies, any Error>>(.success(Latencies()))
    private let thread = Monitor<WorkerThread?>(nil)

    init(_ store: ChurnStore, _ queries: [[Float]], count: Int, ef: Int) throws {
        let thread = try WorkerThread(name: "bench-search") { [self] in
            var times = Latencies()
            do {
                while !isDone.load(ordering: .relaxed) {
                    for query in queries where !isDone.load(ordering: .relaxed) {
                        let begin = Instant.now
                        let transaction = try ReadTransaction(store.store.environment)
                        let hits = try store.store.index.search(query, count: count, ef: ef, transaction: transaction)
                        times.seconds.append(Instant.now - begin)
                        guard hits.count == count else { throw HarnessFailure("\(hits.count) hits") }
                    }
                }
                result.withLockNotifyingAll { $0 = .success(times) }
            } catch { result.withLockNotifyingAll { $0 = .failure(error) } }
        }
        self.thread.withLockNotifyingAll { $0 = thread }
    }

    func stop() throws -> Latencies {
        isDone.store(true, ordering: .relaxed)
        thread.withLockNotifyingAll { thread in
            thread?.join()
            thread = nil
        }
        return try result.withLock { $0 }.get()
    }
}
