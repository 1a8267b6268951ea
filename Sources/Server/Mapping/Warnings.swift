internal import Catalog
internal import DeviceReports
internal import Ingestion
internal import Platform
internal import Wire

/// Below this much free space the administrator hears of it, in bytes.
private let lowDiskByteCount: UInt64 = 256 << 20

extension Warning {
    /// What works, but not as well as it could: shown by every status until it is mended.
    static func all(_ conditions: DaemonConditions) -> [Warning] {
        var warnings: [Warning] = []
        if conditions.isModelUntrained {
            warnings.append(
                Warning(
                    kind: "untrained-model",
                    detail: "The model's weights are seeded, not trained: it finds copies, not similar pictures.",
                    fix: "likeness model fetch vgg16 --use; weights of your own: likeness model import FILE"
                )
            )
        }
        for device in conditions.devices {
            let name = device.device.isEmpty ? "The graphics device" : device.device
            if device.state == .recovering {
                warnings.append(
                    Warning(
                        kind: "device-lost",
                        detail: "\(name) fell out; the processor computes in its place. \(device.reason)",
                        fix: "nothing: it is tried again by itself"
                    )
                )
            } else if device.state == .closed {
                warnings.append(
                    Warning(
                        kind: "device-closed",
                        detail: "\(name) is not used; the processor computes in its place. \(device.reason)",
                        fix: "look at the driver (likeness doctor), then restart the daemon"
                    )
                )
            }
        }
        if let pause = conditions.work.pause {
            warnings.append(warning(pause))
        } else if conditions.freeDiskByteCount < lowDiskByteCount {
            warnings.append(
                Warning(
                    kind: "disk-low",
                    detail: "\(conditions.freeDiskByteCount >> 20) MiB are left on the state folder's disk.",
                    fix: "free space, or move the state folder"
                )
            )
        }
        for collection in conditions.unusable {
            warnings.append(
                Warning(
                    kind: "collection-unusable",
                    detail: "Collection \(collection.name) cannot be used: \(collection.reason)",
                    fix: "mend that and restart the daemon, or give it up: "
                        + "likeness collections remove \(collection.name) --yes"
                )
            )
        }
        for root in conditions.unwatched {
            warnings.append(
                Warning(
                    kind: "root-unwatched",
                    detail: "\(root.path) of the settings is not watched: \(root.reason)",
                    fix: "make it readable, or take it out of the settings; it is tried again by itself"
                )
            )
        }
        for root in conditions.work.roots {
            switch root.state {
            case .offline:
                warnings.append(
                    Warning(
                        kind: "root-offline",
                        detail: "\(root.root.path): \(root.detail)",
                        fix: "mount or restore the folder; its images stay searchable and nothing is forgotten"
                    )
                )
            case .replaced:
                warnings.append(
                    Warning(
                        kind: "root-replaced",
                        detail: "\(root.root.path): \(root.detail)",
                        fix: "put the former folder back, or likeness rescan --accept-missing \(root.root.path)"
                    )
                )
            case .polling:
                warnings.append(
                    Warning(kind: "root-polling", detail: "\(root.root.path): \(root.detail)", fix: root.detail)
                )
            case .scanning, .live, .paused: break
            }
        }
        return warnings
    }

    /// A folder that was just taken off the list is named in the settings.
    static func returning(_ path: String) -> Warning {
        Warning(
            kind: "root-configured",
            detail: "The settings name \(path): it is watched again when the daemon starts next.",
            fix: "take it out of --root, LIKENESS_ROOT or the configuration file"
        )
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

/// The daemon's warnings, at most a second old: searches carry them, and a search takes less than a status does.
final class RecentWarnings: Sendable {
    private static let seconds = 1.0
    private let known = Monitor<(warnings: [Warning], until: Instant)?>(nil)

    /// The warnings as of now or a moment ago.
    func current(_ control: any DaemonControl) -> [Warning] {
        let now = Instant.now
        let fresh = known.withLockNotifyingAll { known in known.flatMap { $0.until > now ? $0.warnings : nil } }
        if let fresh { return fresh }
        let warnings = Warning.all(control.conditions())
        known.withLockNotifyingAll { $0 = (warnings, now + Self.seconds) }
        return warnings
    }
}
