import Foundation
import Glibc
import Platform
import Server
import TestSupport
import Wire

/// A backup of made-up bytes, and jobs of a few lines.
extension FakeDaemon {
    static let collection = "collections/default/0123456789abcdef"
    static let pieceCount = 40
    static func piece(_ number: Int) -> [UInt8] { [UInt8](repeating: UInt8(number), count: 100_000 + number) }
    /// A collection whose copy breaks off in the middle.
    static let brokenCollection = "collections/broken/0123456789abcdef"

    func backupPlan() throws(Problem) -> BackupPlan {
        BackupPlan(
            version: "0",
            state: directory.path,
            roots: ["/photos"],
            collections: [.init(name: Self.collection, bytes: 4_000_780, images: fakeCatalog.count)],
            files: [.init(name: "roots", bytes: 8)],
            weights: nil
        )
    }

    func copyCollection(_ name: String, isCompacting: Bool) throws(Problem) -> ResponseStream {
        guard name == Self.collection || name == Self.brokenCollection else { throw Problem(.notFound, "no \(name)") }
        seen.update { $0.uses.append(isCompacting ? "compact" : "copy") }
        let sent = Monitor(0)
        return ResponseStream { () throws(Problem) in
            let number = sent.update { sent -> Int in
                sent += 1
                return sent - 1
            }
            guard name == Self.collection || number < 3 else { throw Problem(.internal, "the disk broke") }
            return number < Self.pieceCount ? Self.piece(number) : []
        }
    }

    func openBackupFile(_ name: String) throws(Problem) -> OwnedDescriptor {
        guard name == "roots" else { throw Problem(.notFound, "no \(name)") }
        let path = "\(directory.path)/roots"
        do {
            try Data("/photos\0".utf8).write(to: URL(filePath: path))
            return try OwnedDescriptor.open(path, O_RDONLY)
        } catch { throw Problem(.internal, "\(error)") }
    }

    func verify() throws(Problem) -> ResponseStream {
        job([
            JobLine(progress: .init(step: "img", done: 1, total: 2)),
            JobLine(finding: .init(collection: Self.collection, database: "img", key: "2", detail: "checksum")),
            JobLine(result: .init(records: 2, findings: 1, seconds: 0.1)),
        ])
    }

    func rebuild() throws(Problem) -> ResponseStream { job([JobLine(result: .init(records: 5, seconds: 1))]) }

    private func job(_ lines: [JobLine]) -> ResponseStream {
        let rest = Monitor(lines)
        return ResponseStream { () -> JobLine? in rest.update { $0.isEmpty ? nil : $0.removeFirst() } }
    }
}
