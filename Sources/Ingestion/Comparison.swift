internal import Catalog
internal import Platform

extension FileStamp {
    init(_ status: FileStatus) {
        self.init(
            device: status.device,
            inode: status.inode,
            byteCount: status.byteCount,
            modified: status.modified,
            changed: status.changed
        )
    }

    /// Whether both stamps are one unchanged file's. Device numbers are left out: they change with a reboot or a mount,
    /// as git leaves them out of its index for the same reason.
    func matches(_ other: FileStamp) -> Bool {
        inode == other.inode && byteCount == other.byteCount && modified == other.modified && changed == other.changed
    }

    /// Whether the stamp is racy, as git says of its index (git-scm.com/docs/racy-git): the file changed within `seconds` of
    /// `now` (nanoseconds since 1970), so that a further change could leave the stamp equal.
    func isRacy(at now: Int64, within seconds: Double) -> Bool {
        let window = Int64(seconds * 1e9)
        return [modified, changed].contains { time in
            let (age, overflow) = now.subtractingReportingOverflow(time)
            return !overflow && (-window...window).contains(age)
        }
    }

    /// The stamp as git smudges a racily clean entry of its index: no file has it, so the next look reads the bytes again.
    var smudged: FileStamp {
        var stamp = self
        stamp.changed = 0
        return stamp
    }
}

extension FileRow {
    /// Whether a look at the bytes is due.
    ///
    /// - Parameters:
    ///   - row: what the ledger has; nil for a new file.
    ///   - stamp: what `lstat` says now.
    ///   - settings: of the root.
    ///   - isForced: a user asked for failed files too.
    ///   - now: nanoseconds since 1970.
    /// - Returns: false when row and file agree, or an attempt would come too early.
    static func needsWork(
        _ row: FileRow?,
        stamp: FileStamp,
        _ settings: RootSettings,
        isForced: Bool,
        now: Int64
    ) -> Bool {
        guard let row, row.stamp.matches(stamp) else { return true }
        switch row.state {
        case .indexed, .excluded: return false
        case .failed(let failure): return isForced || failure.isDue(settings, now: now)
        }
    }
}

/// What kind of row a file has; the per-root counts are counts of these.
enum RowKind: Hashable, Sendable {
    case none, indexed, failed
    /// A user removed the image.
    case excluded
    /// An image with fewer pixels than the rules want.
    case tooSmall
    /// A sidecar that is no document.
    case badDocument

    init(_ row: FileRow?) {
        switch row?.state {
        case nil: self = .none
        case .indexed: self = .indexed
        case .failed(let failure): self.init(failure)
        case .excluded: self = .excluded
        }
    }

    init(_ failure: FileFailure) {
        self =
            switch failure.kind {
            case FileFailure.tooSmallKind: .tooSmall
            case FileFailure.invalidDocumentKind: .badDocument
            default: .failed
            }
    }
}
