internal import Platform

/// The batch thread's side: which images are computed next, and what becomes of them.
extension PriorityQueues {
    /// Waits for a batch: queries at once, bulk images when the batch is full or its time has come.
    ///
    /// - Returns: nil when stopped and empty.
    func nextWork() -> Work? {
        enum Step {
            case work(Work)
            case wait(until: Instant)
            case end
        }
        var deadline: Instant?
        while true {
            let known = deadline
            let step = monitor.wait(until: deadline) { state -> Step? in
                if state.isStopping {
                    let left = state.queries.map(\.ticket) + state.filling.tickets
                    guard !left.isEmpty else { return .end }
                    state.queryCount -= state.queries.count
                    state.bulkCount -= state.filling.count
                    state.queries.removeAll()
                    state.filling.removeAll()
                    return .work(.fail(left))
                }
                if let work = self.chooseBatch(&state) { return .work(work) }
                guard let due = state.bulkDeadline(), due != known else { return nil }
                return .wait(until: due)
            }
            switch step {
            case .work(let work): return work
            case .end: return nil
            case .wait(let due): deadline = due
            case nil: deadline = nil
            }
        }
    }

    private func chooseBatch(_ state: inout State) -> Work? {
        let isFull = state.filling.count >= batchCapacity
        let isDue = isFull || state.bulkDeadline().map { $0 <= .now } ?? false
        if !state.queries.isEmpty, !isDue || state.fairScheduler.queriesGoFirst {
            let batch = PixelBatch(state.queries)
            state.queries.removeAll()
            return .compute(batch, .query)
        }
        guard isDue else { return nil }
        var batch = state.spare ?? PixelBatch()
        state.spare = nil
        swap(&batch, &state.filling)
        state.fillingSince = nil
        return .compute(batch, .bulk)
    }

    /// A query to compute while a bulk batch pauses.
    ///
    /// - Parameter bulkSeconds: how long the bulk batch was computed since its start or since this was last called.
    /// - Returns: nil when none waits, or when it is the bulk queue's turn.
    func nextInPause(bulkSeconds: Double) -> Query? {
        // `read`, for nothing changes that a thread waits for: a bulk batch pauses often, and must not wake them all.
        monitor.withLock { state in
            state.countBulk(seconds: bulkSeconds)
            guard !state.isStopping, !state.queries.isEmpty, state.fairScheduler.queriesGoFirst else { return nil }
            return state.queries.removeFirst()
        }
    }

    /// Counts a computed bulk batch out and takes its memory back.
    ///
    /// - Parameters:
    ///   - batch: what `nextWork` gave.
    ///   - failureCount: its images that have no vector.
    ///   - computeSeconds: how long it was computed since its start or its last pause.
    func finishBulk(_ batch: consuming PixelBatch, failureCount: Int, computeSeconds: Double) {
        let count = batch.count
        batch.removeAll()
        let memory = batch
        monitor.withLockNotifyingAll { state in
            state.bulkCount -= count
            state.spare = memory
            state.countBulk(seconds: computeSeconds)
            state.statistics.imageCount += count - failureCount
            state.statistics.batchCount += 1
            state.statistics.failureCount += failureCount
        }
    }

    /// Counts queries out that were computed together.
    func finishQueries(count: Int, failureCount: Int, computeSeconds: Double) {
        // Nobody waits for a query to leave.
        monitor.withLock { state in
            state.queryCount -= count
            state.fairScheduler.countQueries(seconds: computeSeconds, bulkWaits: state.bulkCount > 0)
            state.statistics.queryCount += count - failureCount
            state.statistics.batchCount += 1
            state.statistics.failureCount += failureCount
            state.statistics.computeSeconds += computeSeconds
        }
    }
}
