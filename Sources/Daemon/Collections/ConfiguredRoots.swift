internal import Foundation
internal import Ingestion
internal import Platform

/// The folders that the settings name, each for a collection. One that cannot be watched now, such as a disk that is
/// not mounted yet, keeps nothing from being served: it is tried again, and status says why it is missing.
final class ConfiguredRoots: Sendable {
    struct Failure: Sendable, Equatable {
        let path: String
        let reason: String
        var collection = CollectionName.standard
    }

    private let watch: @Sendable (_ path: String, _ collection: CollectionName) throws -> Void
    private let waiting: Monitor<[Failure]>
    private let log = Log("daemon")

    /// - Parameters:
    ///   - settings: `DIR` or `NAME=DIR`; relative paths are below the working directory. One that begins like a name
    ///     and `=` is written `./NAME=...`.
    ///   - watch: begins to watch an absolute path.
    init(
        _ settings: [String],
        watch: @escaping @Sendable (_ path: String, _ collection: CollectionName) throws -> Void
    ) {
        self.watch = watch
        waiting = Monitor(
            Self.places(settings).map { Failure(path: $0.path, reason: "", collection: $0.collection) }
        )
    }

    /// The absolute paths that settings name, and the collection of each.
    static func places(_ settings: [String]) -> [(path: String, collection: CollectionName)] {
        settings.map { setting in
            let parts = setting.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, let collection = CollectionName(String(parts[0])) else {
                return (absolute(setting), .standard)
            }
            return (absolute(String(parts[1])), collection)
        }
    }

    private static func absolute(_ path: String) -> String {
        path.hasPrefix("/") ? path : "\(FileManager.default.currentDirectoryPath)/\(path)"
    }

    /// The folders that are not watched yet, and why.
    var failures: [Failure] { waiting.withLock { $0 } }

    /// Tries those that are not watched yet; for one thread. What is refused is logged when its reason is new.
    func tryAgain() {
        for root in failures {
            do {
                try watch(root.path, root.collection)
                waiting.withLockNotifyingAll { $0.removeAll { $0 == root } }
                if !root.reason.isEmpty { log.notice("watching \(root.path) now") }
            } catch {
                let reason = "\(error)"
                if reason != root.reason { log.error("cannot watch \(root.path): \(reason)") }
                waiting.withLockNotifyingAll { list in
                    for index in list.indices where list[index] == root {
                        list[index] = Failure(path: root.path, reason: reason, collection: root.collection)
                    }
                }
            }
        }
    }
}
