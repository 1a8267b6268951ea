internal import Platform

/// What to tell a person when the system gives no further inotify watch or instance.
enum WatchLimits {
    private static let folder = "/proc/sys/fs/inotify/"

    /// A directory could not be watched; a scan that found `neededCount` directories says how many are wanted.
    static func detail(_ error: SystemError, neededCount: Int) -> String {
        let polled = "it is looked through every few seconds"
        guard error.saysExhausted else { return "events cannot be had (\(error)): \(polled)" }
        let limit = value("max_user_watches").map { " of \($0)" } ?? ""
        return
            "the system's limit\(limit) watched directories is used up, this folder needs \(neededCount): \(polled); "
            + "raise it with sysctl -w fs.inotify.max_user_watches=\(raised(to: neededCount))"
    }

    /// Files with several hard links could not be watched by themselves.
    static func detail(unwatchedFiles count: Int, capacity: Int) -> String {
        "\(count) files here have several names (hard links) and could not be watched by themselves, which is done for at most "
            + "\(capacity) files and within fs.inotify.max_user_watches: it is looked through every few seconds"
    }

    /// inotify could not be opened at all.
    static func detail(_ error: SystemError) -> String {
        let limit = value("max_user_instances")
        return "events cannot be had (\(error)): it is looked through every few seconds; raise the limit with "
            + "sysctl -w fs.inotify.max_user_instances=\(max(256, 2 * (limit ?? 128)))"
    }

    /// Room for these directories beside what other programs use, as a round number.
    private static func raised(to neededCount: Int) -> Int {
        let wanted = (value("max_user_watches") ?? 0) + 2 * neededCount
        return (wanted + 65_535) / 65_536 * 65_536
    }

    private static func value(_ name: String) -> Int? {
        do throws(SystemError) {
            let bytes = try OwnedDescriptor.open(folder + name, 0).readAll(limit: 64)
            return Int(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
        } catch {
            return nil
        }
    }
}
