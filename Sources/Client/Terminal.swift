internal import Glibc
internal import Platform

/// Standard output and error, and what may be assumed of who reads them.
package final class Terminal: Sendable {
    package enum Stream: Sendable { case output, error }

    /// Whether standard output takes colours: a terminal that is not `dumb`, and no `NO_COLOR`.
    let hasColor: Bool
    /// Whether standard error takes a line that is drawn again and again.
    let drawsProgress: Bool
    /// Standard error's columns.
    let columnCount: Int
    private let sink: @Sendable (Stream, String) -> Void
    /// Whether an unfinished progress line is on standard error.
    private let hasDrawn = Monitor(false)

    /// - Parameters:
    ///   - hasColor: whether colours are wanted on standard output.
    ///   - drawsProgress: whether standard error is a terminal.
    ///   - columnCount: its width.
    ///   - sink: writes text.
    package init(
        hasColor: Bool,
        drawsProgress: Bool,
        columnCount: Int = 80,
        sink: @escaping @Sendable (Stream, String) -> Void
    ) {
        self.hasColor = hasColor
        self.drawsProgress = drawsProgress
        self.columnCount = columnCount
        self.sink = sink
    }

    /// The process's own streams.
    package convenience init(environment: [String: String]) {
        let isSmart = environment["TERM"] != "dumb"
        let wantsColor = environment["NO_COLOR"]?.isEmpty ?? true
        var size = winsize()
        // SAFETY: TIOCGWINSZ fills one winsize, which lives for the call.
        let knowsSize = unsafe ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col >= 20
        self.init(
            hasColor: isatty(STDOUT_FILENO) == 1 && isSmart && wantsColor,
            drawsProgress: isatty(STDERR_FILENO) == 1 && isSmart,
            columnCount: knowsSize ? Int(size.ws_col) : 80
        ) { stream, text in
            Self.write(Array(text.utf8), to: stream == .output ? STDOUT_FILENO : STDERR_FILENO)
        }
    }

    /// Data: one line on standard output.
    func print(_ line: String) {
        endProgress()
        sink(.output, line + "\n")
    }

    /// Data that brings its own line ends, such as a reply.
    func printRaw(_ bytes: [UInt8]) {
        endProgress()
        sink(.output, String(decoding: bytes, as: UTF8.self))
    }

    /// A message: one line on standard error.
    package func note(_ line: String) {
        endProgress()
        sink(.error, line + "\n")
    }

    /// Progress: on a terminal, draws over the line before; elsewhere nothing.
    func draw(_ line: String) {
        guard drawsProgress else { return }
        hasDrawn.withLockNotifyingAll { $0 = true }
        sink(.error, "\r\u{1B}[K" + line.prefix(columnCount - 1))
    }

    /// Clears the progress line, if there is one.
    func endProgress() {
        let wasDrawn = hasDrawn.withLockNotifyingAll { hasDrawn in
            defer { hasDrawn = false }
            return hasDrawn
        }
        if wasDrawn { sink(.error, "\r\u{1B}[K") }
    }

    /// Text in one of the terminal's own colours, or as it is.
    func colored(_ text: String, _ color: Color) -> String {
        hasColor ? "\u{1B}[\(color.rawValue)m\(text)\u{1B}[0m" : text
    }

    enum Color: Int {
        case bold = 1
        case faint = 2
        case red = 31
        case green = 32
        case yellow = 33
    }

    private static func write(_ bytes: [UInt8], to descriptor: Int32) {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                // SAFETY: the pointer and count name the rest of `bytes`, which outlives the call.
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count > 0 {
                written += count
            } else if errno != EINTR {
                // A reader that has gone away is no failure of the command.
                return
            }
        }
    }
}
