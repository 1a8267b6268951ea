internal import Catalog
internal import Ingestion
internal import Wire

/// What works, but not as well as it could: shown by every status until it is mended.
enum Warnings {
    /// Below this much free space the administrator hears of it, in bytes.
    private static let lowDisk: UInt64 = 256 << 20

    static func all(model: ModelBody, work: IngestionStatus, diskFree: UInt64) -> [Warning] {
        var warnings: [Warning] = []
        if model.untrained {
            warnings.append(
                Warning(
                    kind: "untrained-model",
                    detail: "The model's weights are seeded, not trained: it finds copies, not kinship.",
                    fix: "likeness model import FILE.safetensors, then likeness model use NAME"
                )
            )
        }
        if let reason = work.pauseReason {
            warnings.append(
                Warning(
                    kind: work.isStorageFull ? "disk-full" : "ingestion-paused",
                    detail: reason,
                    fix: work.isStorageFull ? "free space on the state folder's disk; loading resumes by itself" : "see the log"
                )
            )
        } else if diskFree < lowDisk {
            warnings.append(
                Warning(
                    kind: "disk-low",
                    detail: "\(diskFree >> 20) MiB are left on the state folder's disk.",
                    fix: "free space, or move the state folder"
                )
            )
        }
        for root in work.roots {
            switch root.state {
            case .offline:
                warnings.append(
                    Warning(
                        kind: "root-offline",
                        detail: "\(root.root.path): \(root.detail)",
                        fix: "mount or restore the folder; its images stay searchable and nothing is forgotten"
                    )
                )
            case .polling:
                warnings.append(
                    Warning(kind: "root-polling", detail: "\(root.root.path): \(root.detail)", fix: root.detail)
                )
            case .scanning, .live: break
            }
        }
        return warnings
    }
}
