import Foundation
import Glibc
import Platform
import Server
import TestSupport

@testable import Catalog

/// A backup of made-up bytes, and jobs of a few lines.
extension FakeDaemon {
    static let collection = "collections/default/0123456789abcdef"
    static let pieceCount = 40
    static func piece(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 100_000 + number) }
    /// A collection whose copy breaks off in the middle.
    static let brokenCollection = "collections/broken/0123456789abcdef"

    func backupContents() throws(DaemonError) -> BackupContents {
        var status = try collections.find(nil).status
        status.stored.diskByteCount = 4_000_780
        return BackupContents(
            stateDirectory: directory.path,
            collections: [(Self.collection, status)],
            files: [.init(name: "roots", byteCount: 8)],
            weights: nil
        )
    }

    func copyCollection(_ name: String, isCompacting: Bool) throws(DaemonError) -> CatalogJob<[UInt8]> {
        guard name == Self.collection || name == Self.brokenCollection else { throw .notInBackup(name: name) }
        seen.withLockNotifyingAll { $0.uses.append(isCompacting ? "compact" : "copy") }
        let sent = Monitor(0)
        return CatalogJob(collection: name) { () throws(CatalogError) in
            let number = sent.withLockNotifyingAll { sent -> Int in
                sent += 1
                return sent - 1
            }
            guard name == Self.collection || number < 3 else { throw .storage(detail: "the disk broke") }
            return number < Self.pieceCount ? Self.piece(number) : []
        }
    }

    func openBackupFile(_ name: String) throws(DaemonError) -> OwnedDescriptor {
        guard name == "roots" else { throw .notInBackup(name: name) }
        let path = "\(directory.path)/roots"
        do {
            try Data("/photos\0".utf8).write(to: URL(filePath: path))
            return try OwnedDescriptor.open(path, O_RDONLY)
        } catch { throw DaemonError(error) }
    }

    func verifications() -> [CatalogJob<CatalogVerification.Step>] {
        let finding = CatalogFinding(database: "img", key: "2", detail: "checksum")
        return [
            job([.progress(database: "img", done: 1, total: 2), .finding(finding), .done(records: 2, findings: 1)])
        ]
    }

    func rebuildings() -> [CatalogJob<CatalogRebuilding.Step>] {
        [job([.done(linked: 3, dropped: 0)]), job([.done(linked: 2, dropped: 1)])]
    }

    private func job<Step: Sendable>(_ steps: [Step]) -> CatalogJob<Step> {
        let rest = Monitor(steps)
        return CatalogJob(collection: Self.collection) {
            rest.withLockNotifyingAll { $0.isEmpty ? nil : $0.removeFirst() }
        }
    }
}
