internal import Catalog
internal import Platform
internal import Server
internal import Wire

/// Long jobs on what is stored, told line by line while they work.
extension Control {
    func verify() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a verification")
        let (verification, name) = (collection.verification(), nameInState(collection))
        let start = Instant.now
        return ResponseStream {
            withExtendedLifetime(claim) {
                Self.line { () throws(CatalogError) in try verification.next()?.line(name, start) }
            }
        }
    }

    func rebuild() throws(Problem) -> ResponseStream {
        let claim = try claimMaintenance("a rebuilding")
        let rebuilding = collection.rebuilding()
        let start = Instant.now
        return ResponseStream { [self] in
            withExtendedLifetime(claim) {
                Self.line { () throws(CatalogError) in
                    let step = try rebuilding.next()
                    // Files whose vectors were dropped are found by a scan.
                    if case .done(_, let dropped)? = step, dropped > 0 { try? rescan(nil) }
                    return step?.line(start)
                }
            }
        }
    }

    /// A job's failure is its last line: the reply has begun, and carries no other status any more.
    private static func line(_ next: () throws(CatalogError) -> JobLine?) -> JobLine? {
        do throws(CatalogError) { return try next() } catch { return JobLine(problem: Problem(error)) }
    }
}

extension CatalogVerification.Step {
    func line(_ collection: String, _ start: Instant) -> JobLine {
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
            JobLine(result: .init(records: records, findings: findings, seconds: Instant.now - start))
        }
    }
}

extension CatalogRebuilding.Step {
    fileprivate func line(_ start: Instant) -> JobLine {
        switch self {
        case .progress(let step, let done, let total): JobLine(progress: .init(step: step, done: done, total: total))
        case .done(let linked, let dropped):
            JobLine(result: .init(records: linked, dropped: dropped, seconds: Instant.now - start))
        }
    }
}
