internal import Catalog
internal import Platform
internal import Server
internal import Wire

/// Long jobs on what is stored, told line by line while they work.
extension Control {
    func verify() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a verification")
        let job = JobOfAll(
            all.open.map { VerificationLines(job: $0.store.verification(), collection: nameInState($0)) }
        )
        return ResponseStream { withExtendedLifetime(claim) { Self.line(job.next) } }
    }

    func rebuild() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a rebuilding")
        let job = JobOfAll(all.open.map { RebuildingLines(job: $0.store.rebuilding(), collection: $0) })
        return ResponseStream { withExtendedLifetime(claim) { Self.line(job.next) } }
    }

    /// A job's failure is its last line: the reply has begun, and carries no other status any more.
    private static func line(_ next: () throws(CatalogError) -> JobLine?) -> JobLine? {
        do throws(CatalogError) { return try next() } catch { return JobLine(problem: Problem(error)) }
    }
}

/// The lines of one collection's job: a result at last, and then nil.
private protocol JobLines: Sendable {
    func next() throws(CatalogError) -> JobLine?
}

private struct VerificationLines: JobLines {
    let job: CatalogVerification
    let collection: String

    func next() throws(CatalogError) -> JobLine? { try job.next()?.line(collection) }
}

private struct RebuildingLines: JobLines {
    let job: CatalogRebuilding
    let collection: ImageCollection

    func next() throws(CatalogError) -> JobLine? {
        guard let line = try job.next()?.line() else { return nil }
        // Files whose vectors were dropped are found by a scan.
        if let result = line.result, result.dropped > 0 { _ = collection.rescan(nil) }
        return line
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
    private struct State {
        var rest: [any JobLines]
        var result = JobLine.Result(records: 0, seconds: 0)
    }

    private let start = Instant.now
    private let state: Monitor<State>

    init(_ jobs: [any JobLines]) { state = Monitor(State(rest: jobs)) }

    /// The next line; the last one is the result.
    func next() throws(CatalogError) -> JobLine? {
        try state.update { (state) throws(CatalogError) -> JobLine? in
            while let job = state.rest.first {
                guard let line = try job.next() else {
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
