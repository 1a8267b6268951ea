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
    /// Whether standard output is a terminal: bytes that are no text are not for it.
    let isInteractive: Bool
    private let sink: @Sendable (Stream, [UInt8]) -> Void
    /// Whether an unfinished progress line is on standard error.
    private let hasDrawn = Monitor(false)

    /// - Parameters:
    ///   - hasColor: whether colours are wanted on standard output.
    ///   - drawsProgress: whether standard error is a terminal.
    ///   - columnCount: its width.
    ///   - isInteractive: whether standard output is a terminal.
    ///   - sink: writes bytes.
    package init(
        hasColor: Bool,
        drawsProgress: Bool,
        columnCount: Int = 80,
        isInteractive: Bool = false,
        sink: @escaping @Sendable (Stream, [UInt8]) -> Void
    ) {
        self.isInteractive = isInteractive
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
            columnCount: knowsSize ? Int(size.ws_col) : 80,
            isInteractive: isatty(STDOUT_FILENO) == 1
        ) { stream, bytes in
            Self.write(bytes, to: stream == .output ? STDOUT_FILENO : STDERR_FILENO)
        }
    }

    /// Data: one line on standard output.
    func print(_ line: String) {
        endProgress()
        sink(.output, Array((line + "\n").utf8))
    }

    /// Data that brings its own line ends, such as a reply.
    func printRaw(_ bytes: [UInt8]) {
        endProgress()
        sink(.output, bytes)
    }

    /// A message: one line on standard error.
    package func note(_ line: String) {
        endProgress()
        sink(.error, Array((line + "\n").utf8))
    }

    /// Progress: on a terminal, draws over the line before; elsewhere nothing.
    func draw(_ line: String) {
        guard drawsProgress else { return }
        hasDrawn.withLockNotifyingAll { $0 = true }
        sink(.error, Array(("\r\u{1B}[K" + line.prefix(columnCount - 1)).utf8))
    }

    /// Clears the progress line, if there is one.
    func endProgress() {
        let wasDrawn = hasDrawn.withLockNotifyingAll { hasDrawn in
            defer { hasDrawn = false }
            return hasDrawn
        }
        if wasDrawn { sink(.error, Array("\r\u{1B}[K".utf8)) }
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
