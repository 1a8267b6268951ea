internal import Catalog
internal import Foundation
internal import Glibc
internal import Platform

/// `likenessd --verify DIR`: verifies stores that no daemon has open, such as backups, and writes nothing to them.
///
/// The daemon's program does it and not the client, which knows the socket and nothing of stored formats.
package enum StoreVerification {
    /// Verifies every store in a state folder, a backup, or a collection's folder.
    ///
    /// - Parameters:
    ///   - folder: holds `data.mdb`, or folders that do.
    ///   - print: takes a line for people.
    /// - Returns: the process's exit code: 0 when everything is as it must be, 5 when something is not.
    /// - Throws: `ConfigurationError` when there is no store, or a daemon has it open.
    package static func run(_ folder: String, _ print: (String) -> Void) throws -> Int32 {
        let files = stores(in: folder)
        guard !files.isEmpty else { throw ConfigurationError("there is no data.mdb in \(folder) or below") }
        var findings = 0
        for file in files.sorted() {
            // Kept until the store is read: a daemon that starts meanwhile is refused, as a second one would be.
            let claim = try claim(of: file)
            findings += try withExtendedLifetime(claim) { try verify(file, print) }
        }
        return findings == 0 ? 0 : 5
    }

    private final class Claim {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    private static func stores(in folder: String) -> [String] {
        let below = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        return below.filter { ($0 as NSString).lastPathComponent == "data.mdb" }.map { "\(folder)/\($0)" }
    }

    /// Holds the lock of a store that was open once; a backup has none.
    private static func claim(of file: String) throws -> Claim? {
        let path = (file as NSString).deletingLastPathComponent + "/pid"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let claim = Claim(try OwnedDescriptor.open(path, O_RDONLY))
        guard flock(claim.descriptor.rawValue, LOCK_SH | LOCK_NB) == 0 else {
            throw ConfigurationError("a daemon uses \(file); ask it with: likeness verify")
        }
        return claim
    }

    private static func verify(_ file: String, _ print: (String) -> Void) throws -> Int {
        let verification = try CatalogVerification(file: file)
        while let step = try verification.next() {
            switch step {
            case .finding(let finding): print("\(file): \(finding.database) \(finding.key): \(finding.detail)")
            case .done(let records, let findings):
                print("\(file): \(records) records, \(findings == 0 ? "all as they must be" : "\(findings) findings")")
                return findings
            case .progress: continue
            }
        }
        return 0
    }
}
