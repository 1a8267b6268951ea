internal import Foundation
internal import Platform

/// `backup.json` in a backup: what belongs to it. It is written last, so a folder without it is no backup.
struct BackupManifest: Codable, Equatable {
    struct File: Codable, Equatable {
        /// Below the backup's folder, as below the state folder.
        var name: String
        var bytes: UInt64
        /// 64 hexadecimal digits.
        var sha256: String
    }

    static let name = "backup.json"
    static let format = 1

    /// 1.
    var format: Int
    /// Of the daemon.
    var version: String
    /// ISO 8601, UTC.
    var created: String
    var images: Int
    /// The weight file that the daemon was told to use and that the backup does not hold.
    var weights: String?
    var files: [File]

    var encoded: [UInt8] {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return [UInt8](try encoder.encode(self)) + [UInt8(ascii: "\n")]
        }
    }

    /// Reads the manifest of the backup in `folder`.
    ///
    /// - Throws: `ClientError` when there is none, or one that makes no sense.
    init(folder: String) throws {
        let path = "\(folder)/\(Self.name)"
        guard FileManager.default.fileExists(atPath: path) else {
            throw ClientError.failed("\(folder) is not a finished backup: it has no \(Self.name)")
        }
        let manifest: BackupManifest
        do {
            manifest = try JSONDecoder().decode(
                BackupManifest.self,
                from: Data(try LocalFile.read(path, limit: 1 << 20))
            )
        } catch let error as DecodingError {
            throw ClientError.failed("\(path) is damaged: \(error.reason)")
        }
        guard manifest.format == Self.format, manifest.files.allSatisfy({ Self.isPlain(name: $0.name) }) else {
            throw ClientError.failed("\(path) is of another format than this program reads")
        }
        self = manifest
    }

    init(version: String, images: Int, weights: String?, files: [File], now: Date = .now) {
        format = Self.format
        self.version = version
        created = now.formatted(.iso8601)
        self.images = images
        self.weights = weights
        self.files = files
    }

    /// Whether a name stays below the folder that it is put into: the daemon may run as somebody who has fewer rights than the
    /// caller, so its words are not trusted.
    static func isPlain(name: String) -> Bool {
        let parts = name.split(separator: "/", omittingEmptySubsequences: false)
        return !parts.isEmpty && !name.utf8.contains(0)
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 255 }
    }
}
