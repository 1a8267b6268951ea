internal import Foundation
internal import Ingestion
internal import Platform

/// The folders that the settings name. One that cannot be watched now, such as a disk that is not mounted yet, keeps nothing
/// from being served: it is tried again, and status says why it is missing.
final class ConfiguredRoots: Sendable {
    struct Failure: Sendable, Equatable {
        let path: String
        let reason: String
    }

    private let watch: @Sendable (_ path: String) throws -> Void
    private let waiting: Monitor<[Failure]>
    private let log = Log("daemon")

    /// - Parameters:
    ///   - paths: as the settings have them; relative ones are below the working directory.
    ///   - watch: begins to watch an absolute path.
    init(_ paths: [String], watch: @escaping @Sendable (_ path: String) throws -> Void) {
        let folder = FileManager.default.currentDirectoryPath
        self.watch = watch
        waiting = Monitor(paths.map { Failure(path: $0.hasPrefix("/") ? $0 : "\(folder)/\($0)", reason: "") })
    }

    /// The folders that are not watched yet, and why.
    var failures: [Failure] { waiting.read { $0 } }

    /// Tries those that are not watched yet; for one thread. What is refused is logged when its reason is new.
    func tryAgain() {
        for root in failures {
            do {
                try watch(root.path)
                waiting.update { $0.removeAll { $0.path == root.path } }
                if !root.reason.isEmpty { log.notice("watching \(root.path) now") }
            } catch {
                let reason = "\(error)"
                if reason != root.reason { log.error("cannot watch \(root.path): \(reason)") }
                waiting.update { list in
                    for index in list.indices where list[index].path == root.path {
                        list[index] = Failure(path: root.path, reason: reason)
                    }
                }
            }
        }
    }
}
