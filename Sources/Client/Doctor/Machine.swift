internal import Foundation
internal import Glibc
internal import Platform
internal import Wire

/// What the kernel and the file system allow: read from below `root`, which is `/` except in tests.
struct Machine {
    var root = "/"
    /// Seconds after which directories are no longer counted.
    var timeout = 3.0

    /// All findings for the watched folders `roots`, the `backend` that computes, nil when unknown, and the `sockets` that
    /// are asked.
    func examine(roots: [String], backend: String?, sockets: [String]) -> [Finding] {
        let membership = sockets.contains(Locations.systemSocket) ? group() : nil
        return [watches(roots), graphics(backend), membership].compactMap { $0 } + socketFolders(sockets)
    }

    // MARK: - Watches

    private func watches(_ roots: [String]) -> Finding {
        let setting = "proc/sys/fs/inotify/max_user_watches"
        guard let text = try? String(contentsOfFile: root + setting, encoding: .utf8),
            let limit = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
        else {
            return .warn(
                "watches",
                "the kernel's inotify limit cannot be read",
                fix: "mount /proc; without inotify, folders are looked through by a timer"
            )
        }
        let (count, isWhole) = directoryCount(roots)
        let directories = "\(isWhole ? "" : "more than ")\(Text.count(count)) director\(count == 1 ? "y" : "ies")"
        let detail = "\(Text.count(limit)) watches allowed for \(directories)"
        // Other programs of the same user need some too.
        guard count * 5 / 4 >= limit else { return .ok("watches", detail) }
        var needed = 1 << 17
        while needed < count * 2 { needed *= 2 }
        return .warn(
            "watches",
            detail,
            fix: "echo fs.inotify.max_user_watches=\(needed) | sudo tee /etc/sysctl.d/60-likeness.conf"
                + " && sudo sysctl --system"
        )
    }

    /// Directories at and below `roots`, and whether all were counted in time.
    private func directoryCount(_ roots: [String]) -> (Int, Bool) {
        let deadline = Instant.now + timeout
        var count = 0
        for root in roots {
            count += 1
            let files = FileManager.default.enumerator(
                at: URL(filePath: root),
                includingPropertiesForKeys: [.isDirectoryKey, .isSymbolicLinkKey]
            )
            while let file = files?.nextObject() as? URL {
                guard Instant.now < deadline else { return (count, false) }
                let values = try? file.resourceValues(forKeys: [.isDirectoryKey, .isSymbolicLinkKey])
                if values?.isDirectory == true && values?.isSymbolicLink != true { count += 1 }
            }
        }
        return (count, true)
    }

    // MARK: - Devices

    private func graphics(_ backend: String?) -> Finding {
        // nvidia0, nvidia1, ...; not nvidiactl.
        let cards = names(in: "dev").filter { $0.wholeMatch(of: /nvidia[0-9]+/) != nil }
        let renderers = names(in: "dev/dri").filter { $0.hasPrefix("renderD") }
        let nodes = renderers.map { "\(root)dev/dri/\($0)" } + cards.map { "\(root)dev/\($0)" }
        guard !nodes.isEmpty else { return .ok("GPU", "none here; the CPU computes") }
        let list = nodes.joined(separator: ", ")
        if backend == "vulkan" { return .ok("GPU", "in use, one of \(list)") }
        let closed = nodes.filter {
            !FileManager.default.isReadableFile(atPath: $0) || !FileManager.default.isWritableFile(atPath: $0)
        }
        if !closed.isEmpty {
            return .warn(
                "GPU",
                "no permission for \(closed.joined(separator: ", "))",
                fix: "put the daemon's user into the groups render and video: sudo usermod -aG render,video likeness"
            )
        }
        return .warn(
            "GPU",
            "\(list) is not used" + (backend.map { ", backend \($0)" } ?? ""),
            fix: "install the card's Vulkan driver (mesa-vulkan-drivers, or NVIDIA's), "
                + "then: sudo systemctl restart likeness"
        )
    }

    private func names(in folder: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: root + folder)) ?? []).sorted()
    }

    // MARK: - Permissions

    /// Whether the group that may use the system service's socket has this user, where there is such a group.
    private func group() -> Finding? {
        guard let lines = try? String(contentsOfFile: root + "etc/group", encoding: .utf8),
            let line = lines.split(separator: "\n").first(where: { $0.hasPrefix("likeness:") })
        else { return nil }
        let user = NSUserName()
        let fields = line.split(separator: ":", omittingEmptySubsequences: false)
        let members = fields.last.map { $0.split(separator: ",").map(String.init) } ?? []
        if getuid() == 0 || user == "likeness" || members.contains(user) {
            return .ok("group", "\(user) may use the system's daemon")
        }
        return .warn(
            "group",
            "\(user) is not in the group likeness, which may use the system's daemon",
            fix: "sudo usermod -aG likeness \(user), then log in again"
        )
    }

    /// Whether somebody else could put a socket of his own in the place of the daemon's: one finding for each folder that is
    /// there.
    private func socketFolders(_ sockets: [String]) -> [Finding] {
        let folders = sockets.map { socket in
            let path = CommandDescription.absolutePath(socket)
            return String(path[..<(path.lastIndex(of: "/") ?? path.endIndex)])
        }
        return folders.enumerated().filter { folders.firstIndex(of: $1) == $0 }.compactMap { socketFolder($1) }
    }

    private func socketFolder(_ path: String) -> Finding? {
        var status = stat()
        let folder = String(root.dropLast() + path)
        // SAFETY: `stat` fills the value given, which lives for the call.
        guard unsafe stat(folder, &status) == 0 else { return nil }
        guard status.st_mode & 0o002 != 0 else { return .ok("permissions", "\(folder) is closed to others") }
        // As `/tmp`: a socket that is there cannot be replaced, but one can be put there before the daemon starts.
        if status.st_mode & S_ISVTX != 0 {
            return .warn(
                "permissions",
                "\(folder) is writable by everybody",
                fix: "give the socket a folder of its own"
            )
        }
        return .fail("permissions", "\(folder) is writable by everybody", fix: "sudo chmod 0755 \(folder)")
    }
}
