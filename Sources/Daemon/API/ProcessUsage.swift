internal import Foundation
internal import Glibc

/// What the process costs, read from the kernel.
enum ProcessUsage {
    /// Resident memory in bytes: now and at its highest.
    static func memory() -> (now: UInt64, peak: UInt64) {
        var now: UInt64 = 0
        var peak: UInt64 = 0
        guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return (0, 0) }
        for line in status.split(separator: "\n") {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2, let kilobytes = UInt64(words[1]) else { continue }
            if words[0] == "VmRSS:" { now = kilobytes * 1024 }
            if words[0] == "VmHWM:" { peak = kilobytes * 1024 }
        }
        return (now, peak)
    }

    /// Bytes that this process may still write on the file system of `path`.
    static func freeBytes(at path: String) -> UInt64 {
        var status = statvfs()
        guard unsafe statvfs(path, &status) == 0 else { return 0 }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }
}
