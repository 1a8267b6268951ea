internal import Glibc

/// One line a message on standard error: `<N>` syslog level when the journal reads it, a time otherwise, then
/// `component: message key=value`. A kind of message that comes too often is held back and counted.
package struct Log: Sendable {
    /// Syslog severities.
    package enum Level: Int, Comparable, Sendable, CaseIterable {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6
        case debug = 7

        package static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }

        /// The name as flags and files spell it.
        package var name: String { String(describing: self) }
    }

    /// At most this many messages of one level and component in `window` seconds; the next window reports how many were held back.
    private static let burst = 50
    private static let window = 10.0

    private struct Shared {
        var threshold = Level.info
        var windows: [String: (start: Instant, count: Int)] = [:]
    }

    private static let shared = Monitor(Shared())
    private static let underJournal = getenv("JOURNAL_STREAM") != nil

    /// The part of the program that speaks.
    package let component: String

    package init(_ component: String) { self.component = component }

    /// Drops everything less severe than `level` from now on, in the whole process.
    package static func setThreshold(_ level: Level) { shared.withLockNotifyingAll { $0.threshold = level } }

    package func error(_ message: @autoclosure () -> String) { write(.error, message) }
    package func warning(_ message: @autoclosure () -> String) { write(.warning, message) }
    package func notice(_ message: @autoclosure () -> String) { write(.notice, message) }
    package func info(_ message: @autoclosure () -> String) { write(.info, message) }
    package func debug(_ message: @autoclosure () -> String) { write(.debug, message) }

    private func write(_ level: Level, _ message: () -> String) {
        let now = Instant.now
        var heldBack = 0
        let passes = Self.shared.withLockNotifyingAll { shared -> Bool in
            guard level <= shared.threshold else { return false }
            let key = "\(level.rawValue)\(component)"
            var (start, count) = shared.windows[key] ?? (now, 0)
            if now - start > Self.window {
                heldBack = max(0, count - Self.burst)
                (start, count) = (now, 0)
            }
            count += 1
            shared.windows[key] = (start, count)
            return count <= Self.burst
        }
        guard passes else { return }
        if heldBack > 0 { emit(level, "\(heldBack) more messages like these were held back") }
        emit(level, message())
    }

    private func emit(_ level: Level, _ message: String) {
        // A message is one line whatever a file name holds.
        let text = message.unicodeScalars.map { $0.value < 32 || $0.value == 127 ? " " : String($0) }.joined()
        let start = Self.underJournal ? "<\(level.rawValue)>" : "\(Self.timestamp()) \(level.name) "
        let line = Array("\(start)\(component): \(text)\n".utf8)
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func timestamp() -> String {
        var now = time(nil)
        var parts = tm()
        gmtime_r(&now, &parts)
        var buffer = [CChar](repeating: 0, count: 32)
        let length = strftime(&buffer, buffer.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
        return String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
