internal import Catalog
internal import Platform
internal import Wire

/// The right to do one long job on what is stored; given back when its holder goes, whether the job ended or its client
/// went away.
final class MaintenanceClaim: Sendable {
    /// What is at work, if anything.
    typealias Current = Monitor<String?>

    private let current: Current

    /// - Throws: `conflict` while another job is at work.
    init(_ job: String, _ current: Current) throws(Problem) {
        let other = current.withLockNotifyingAll { current -> String? in
            guard current == nil else { return current }
            current = job
            return nil
        }
        if let other { throw Problem(.conflict, "\(other) is at work; try again when it has ended", retryAfter: 10) }
        self.current = current
    }

    deinit { current.withLockNotifyingAll { $0 = nil } }
}

/// The same job for one collection after the other, line by line, with one result for all.
final class JobLines<Step: JobStep>: Sendable {
    private struct State {
        var rest: ArraySlice<CatalogJob<Step>>
        var result = JobLine.Result(records: 0, seconds: 0)
    }

    private let start = Instant.now
    private let state: Monitor<State>

    init(_ jobs: [CatalogJob<Step>]) { state = Monitor(State(rest: jobs[...])) }

    /// The next line; the last one is the result. A failure is the last line too: the reply has begun, and carries no
    /// other status any more.
    func next() -> JobLine? {
        state.withLockNotifyingAll { state in
            do throws(CatalogError) { return try next(&state) } catch { return JobLine(problem: Problem(error)) }
        }
    }

    private func next(_ state: inout State) throws(CatalogError) -> JobLine? {
        while let job = state.rest.first {
            guard let line = try job.next()?.line(of: job.collection) else {
                state.rest.removeFirst()
                continue
            }
            guard let part = line.result else { return line }
            state.result.records += part.records
            state.result.findings += part.findings
            state.result.dropped += part.dropped
        }
        state.result.seconds = Instant.now - start
        return JobLine(result: state.result)
    }
}
