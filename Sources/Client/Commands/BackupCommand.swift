internal import Foundation
internal import Platform
internal import Wire

extension CommandDescription {
    static let backup = CommandDescription(
        name: "backup",
        summary:
            "Writes everything that the daemon stores to a new folder, while it works: index, list of folders and models, not "
            + "the photos. To restore: stop the daemon, put the folder in place of its state folder, start it.",
        usage: "DIR [--compact] | --check DIR",
        examples: [
            Example("backup /backup/likeness-$(date +%F)", "a consistent copy; searches and loading continue"),
            Example("backup --check /backup/likeness-2026-11-20", "whether every byte is as it was written"),
        ],
        operandCounts: 1...1,
        options: [
            OptionDescription(
                "compact",
                .flag,
                "leave out what deleted images occupied: smaller, slower"
            ),
            OptionDescription("check", .flag, "write nothing; compare a backup with its digests"),
        ],
        run: { invocation in
            let folder = absolutePath(invocation.arguments.operands[0])
            let manifest =
                if invocation.arguments.has("check") {
                    try BackupCheck(folder: folder, terminal: invocation.terminal).run()
                } else {
                    try Backup(
                        client: invocation.client,
                        terminal: invocation.terminal,
                        isCompacting: invocation.arguments.has("compact")
                    ).write(to: folder)
                }
            if try !invocation.printedJSON(manifest.encoded) {
                let size = Text.bytes(manifest.files.reduce(0) { $0 + $1.bytes })
                let what = "\(Text.count(manifest.images, "image")), \(size)"
                invocation.terminal.note(
                    invocation.arguments.has("check")
                        ? "\(folder) is complete and undamaged: \(what)" : "\(folder): \(what)"
                )
                if let weights = manifest.weights {
                    invocation.terminal.note(
                        "it does not hold the weight file \(Text.visible(weights)), which the daemon was told to use"
                    )
                }
            }
            return .ok
        }
    )
}

/// Fetches what the daemon's plan names and writes it to a folder.
struct Backup {
    let client: DaemonClient
    let terminal: Terminal
    let isCompacting: Bool

    /// - Parameter path: absolute; missing or an empty folder, not below a watched folder or the daemon's own.
    /// - Returns: what the backup holds.
    /// - Throws: `ClientError`; nothing is left at `path` then.
    func write(to path: String) throws -> BackupManifest {
        let plan: BackupPlan = try client.get("\(WireProtocol.prefix)/backup")
        for root in plan.roots where Self.isBelow(path, root) {
            throw ClientError.usage("\(path) lies in the watched folder \(root)", fix: "name a folder elsewhere")
        }
        guard !Self.isBelow(path, plan.state) else {
            throw ClientError.usage(
                "\(path) lies in the daemon's own folder \(plan.state)",
                fix: "name a folder elsewhere"
            )
        }
        let folder = try BackupFolder(path)
        defer { terminal.endProgress() }
        do {
            let total = (plan.collections.map(\.bytes) + plan.files.map(\.bytes)).reduce(0, &+)
            try folder.checkRoom(for: total)
            let display = TransferDisplay(TransferMeter(total: total, received: 0), terminal, isQuiet: true)
            for collection in plan.collections {
                var query = [(name: "name", value: collection.name)]
                if isCompacting { query.append((name: "compact", value: "true")) }
                try fetch("collection", query, "\(collection.name)/data.mdb", folder, display)
            }
            for file in plan.files {
                try fetch("file", [(name: "name", value: file.name)], file.name, folder, display)
            }
            let manifest = BackupManifest(
                version: plan.version,
                images: plan.collections.map(\.images).reduce(0, +),
                weights: plan.weights,
                files: folder.files
            )
            try folder.finish(manifest)
            return manifest
        } catch {
            folder.abandon()
            throw error
        }
    }

    /// Fetches one thing piece by piece. A body that breaks off is an error: its last chunk is missing.
    private func fetch(
        _ kind: String,
        _ query: [(name: String, value: String)],
        _ name: String,
        _ folder: BackupFolder,
        _ display: TransferDisplay
    ) throws {
        let request = HTTPRequest(method: "GET", path: "\(WireProtocol.prefix)/backup/\(kind)", query: query)
        let before = folder.files.reduce(0) { $0 + $1.bytes }
        var received: UInt64 = 0
        try folder.write(name) { append in
            try client.stream(request) { piece in
                try append(piece)
                received += UInt64(piece.count)
                display.show(before + received)
            }
        }
    }

    /// Whether `path` is `folder` or lies below it; both absolute.
    static func isBelow(_ path: String, _ folder: String) -> Bool {
        path == folder || path.hasPrefix(folder.hasSuffix("/") ? folder : "\(folder)/")
    }
}

/// Reads a backup and compares it with what its manifest says.
struct BackupCheck {
    let folder: String
    let terminal: Terminal

    /// - Throws: `ClientError` that names the first file that is missing or not as it was written.
    func run() throws -> BackupManifest {
        let manifest = try BackupManifest(folder: folder)
        defer { terminal.endProgress() }
        for file in manifest.files {
            terminal.draw("reading \(Text.visible(file.name))")
            let path = "\(folder)/\(file.name)"
            let byteCount = try LocalFile.byteCount(of: path)
            guard byteCount == file.bytes else {
                throw ClientError.failed("\(path) has \(byteCount) bytes of \(file.bytes)", fix: "use another backup")
            }
            guard try LocalFile.digest(of: path, by: .sha256).digits == file.sha256 else {
                throw ClientError.failed("\(path) is not as it was written", fix: "use another backup")
            }
        }
        return manifest
    }
}
