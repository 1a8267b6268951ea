internal import Catalog
internal import Ingestion
internal import Wire

/// What works, but not as well as it could: shown by every status until it is mended.
enum Warnings {
    /// Below this much free space the administrator hears of it, in bytes.
    private static let lowDisk: UInt64 = 256 << 20

    static func all(
        model: ModelBody,
        work: IngestionStatus,
        unusable: [(name: CollectionName, reason: String)],
        unwatched: [ConfiguredRoots.Failure],
        graphics: [GraphicsHealth],
        diskFree: UInt64
    ) -> [Warning] {
        var warnings: [Warning] = []
        if model.untrained {
            warnings.append(
                Warning(
                    kind: "untrained-model",
                    detail: "The model's weights are seeded, not trained: it finds copies, not similar pictures.",
                    fix: "likeness model fetch vgg16 --use; weights of your own: likeness model import FILE"
                )
            )
        }
        for device in graphics {
            let name = device.device.isEmpty ? "The graphics device" : device.device
            if device.state == "recovering" {
                warnings.append(
                    Warning(
                        kind: "device-lost",
                        detail: "\(name) fell out; the processor computes in its place. \(device.reason)",
                        fix: "nothing: it is tried again by itself"
                    )
                )
            } else if device.state == "closed" {
                warnings.append(
                    Warning(
                        kind: "device-closed",
                        detail: "\(name) is not used; the processor computes in its place. \(device.reason)",
                        fix: "look at the driver (likeness doctor), then restart the daemon"
                    )
                )
            }
        }
        if let pause = work.pause {
            warnings.append(warning(pause))
        } else if diskFree < lowDisk {
            warnings.append(
                Warning(
                    kind: "disk-low",
                    detail: "\(diskFree >> 20) MiB are left on the state folder's disk.",
                    fix: "free space, or move the state folder"
                )
            )
        }
        for collection in unusable {
            warnings.append(
                Warning(
                    kind: "collection-unusable",
                    detail: "Collection \(collection.name) cannot be used: \(collection.reason)",
                    fix: "mend that and restart the daemon, or give it up: "
                        + "likeness collections remove \(collection.name) --yes"
                )
            )
        }
        for root in unwatched {
            warnings.append(
                Warning(
                    kind: "root-unwatched",
                    detail: "\(root.path) of the settings is not watched: \(root.reason)",
                    fix: "make it readable, or take it out of the settings; it is tried again by itself"
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
    private static func warning(_ pause: IngestionPause) -> Warning {
        switch pause.kind {
        case .storageFull:
            Warning(
                kind: "disk-full",
                detail: pause.reason,
                fix: "free space on the state folder's disk; loading resumes by itself"
            )
        case .storageFailing:
            Warning(kind: "storage-failing", detail: pause.reason, fix: "look at the disk's health and the log")
        case .device:
            Warning(kind: "device-failing", detail: pause.reason, fix: "likeness doctor, or start with --backend cpu")
        }
    }
}
