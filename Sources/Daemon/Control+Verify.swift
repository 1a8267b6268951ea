internal import Catalog
internal import Platform
internal import Server
internal import Wire

/// Long jobs on what is stored, told line by line while they work.
extension Control {
    func verify() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a verification")
        let job = JobOfAll(
            all.open.map { collection in
                let (verification, name) = (collection.store.verification(), nameInState(collection))
                return { () throws(CatalogError) in try verification.next()?.line(name) }
            }
        )
        return ResponseStream { withExtendedLifetime(claim) { Self.line(job.next) } }
    }

    func rebuild() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a rebuilding")
        let job = JobOfAll(
            all.open.map { collection in
                let rebuilding = collection.store.rebuilding()
                return { () throws(CatalogError) in
                    let step = try rebuilding.next()
                    // Files whose vectors were dropped are found by a scan.
                    if case .done(_, let dropped)? = step, dropped > 0 { _ = collection.rescan(nil) }
                    return step?.line()
                }
            }
        )
        return ResponseStream { withExtendedLifetime(claim) { Self.line(job.next) } }
    }

    /// A job's failure is its last line: the reply has begun, and carries no other status any more.
    private static func line(_ next: () throws(CatalogError) -> JobLine?) -> JobLine? {
        do throws(CatalogError) { return try next() } catch { return JobLine(problem: Problem(error)) }
    }
}

extension CatalogVerification.Step {
    fileprivate func line(_ collection: String) -> JobLine {
        switch self {
        case .progress(let database, let done, let total):
            JobLine(progress: .init(step: database, done: done, total: total))
        case .finding(let finding):
            JobLine(
                finding: .init(
                    collection: collection,
                    database: finding.database,
                    key: finding.key,
                    detail: finding.detail
                )
            )
        case .done(let records, let findings):
            JobLine(result: .init(records: records, findings: findings, seconds: 0))
        }
    }
}

extension CatalogRebuilding.Step {
    fileprivate func line() -> JobLine {
        switch self {
        case .progress(let step, let done, let total): JobLine(progress: .init(step: step, done: done, total: total))
        case .done(let linked, let dropped):
            JobLine(result: .init(records: linked, dropped: dropped, seconds: 0))
        }
    }
}

/// The same job for one collection after the other, with one result for all.
private final class JobOfAll: Sendable {
    typealias Next = @Sendable () throws(CatalogError) -> JobLine?

    private struct State {
        var rest: [Next]
        var result = JobLine.Result(records: 0, seconds: 0)
    }

    private let start = Instant.now
    private let state: Monitor<State>

    /// - Parameter jobs: each gives lines, a result at last, and then nil.
    init(_ jobs: [Next]) { state = Monitor(State(rest: jobs)) }

    /// The next line; the last one is the result.
    func next() throws(CatalogError) -> JobLine? {
        try state.update { (state) throws(CatalogError) -> JobLine? in
            while let job = state.rest.first {
                guard let line = try job() else {
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
}
