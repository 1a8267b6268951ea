internal import Platform

/// Shows a download's progress now and then: drawn on a terminal, as lines elsewhere.
final class TransferDisplay {
    private var meter: TransferMeter
    private let terminal: Terminal
    private let isQuiet: Bool
    private var drawnAt = Instant.now
    private var notedAt = Instant.now

    private static let drawInterval = 0.2
    private static let noteInterval = 10.0

    /// Nothing is shown before `show`; with `isQuiet`, nothing but on a terminal.
    init(_ meter: TransferMeter, _ terminal: Terminal, isQuiet: Bool) {
        self.meter = meter
        self.terminal = terminal
        self.isQuiet = isQuiet
    }

    func show(_ received: UInt64) {
        let now = Instant.now
        meter.mark(received, now: now)
        if now - drawnAt >= Self.drawInterval {
            terminal.draw(meter.line)
            drawnAt = now
        }
        if !isQuiet, !terminal.drawsProgress, now - notedAt >= Self.noteInterval {
            terminal.note(meter.line)
            notedAt = now
        }
    }
}
