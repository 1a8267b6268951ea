internal import Catalog
internal import Ingestion
internal import Platform
internal import Wire

extension BackupPlan {
    init(_ contents: BackupContents, version: DaemonVersion) {
        self.init(
            version: version.number,
            state: contents.stateDirectory,
            roots: contents.collections.flatMap { $0.status.work.roots.map(\.root.path.description) },
            collections: contents.collections.map { folder, status in
                Collection(
                    name: folder,
                    bytes: UInt64(status.stored.diskByteCount),
                    images: status.stored.imageCount
                )
            },
            files: contents.files.map { File(name: $0.name, bytes: $0.byteCount) },
            weights: contents.weights
        )
    }
}

/// A step of a job on one collection that becomes a line of the reply.
protocol JobStep: Sendable {
    func line(of collection: String) -> JobLine
}

extension CatalogVerification.Step: JobStep {
    func line(of collection: String) -> JobLine {
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

extension CatalogRebuilding.Step: JobStep {
    func line(of collection: String) -> JobLine {
        switch self {
        case .progress(let step, let done, let total): JobLine(progress: .init(step: step, done: done, total: total))
        case .done(let linked, let dropped):
            JobLine(result: .init(records: linked, dropped: dropped, seconds: 0))
        }
    }
}
