internal import Platform

/// A download, as one line: how much of it, how fast, how long still.
struct TransferMeter {
    let total: UInt64
    private(set) var received: UInt64
    /// Moments and what had come by then, of the last seconds.
    private var marks: [(time: Instant, received: UInt64)]

    /// The rate is that of this long, so that it follows the network and does not jump.
    private static let window = 5.0

    init(total: UInt64, received: UInt64, now: Instant = .now) {
        self.total = total
        self.received = received
        marks = [(now, received)]
    }

    /// Takes how much is there now.
    mutating func mark(_ received: UInt64, now: Instant = .now) {
        if received < self.received { marks.removeAll() }
        self.received = received
        if let last = marks.last, now - last.time < 0.1, marks.count > 1 { marks.removeLast() }
        marks.append((now, received))
        while marks.count > 2, now - marks[1].time > Self.window { marks.removeFirst() }
    }

    /// Bytes per second; nil before anything can be said.
    var rate: Double? {
        guard let first = marks.first, let last = marks.last, last.time - first.time > 0.2 else { return nil }
        return Double(last.received - first.received) / (last.time - first.time)
    }

    /// `[#####.....] 52 %, 288 MB of 553 MB, 12 MB/s, 22 s left`.
    var line: String {
        let fraction = total > 0 ? min(1, Double(received) / Double(total)) : 0
        var parts = ["\(Progress.bar(fraction)) \(Int(fraction * 100)) %"]
        parts.append("\(Text.bytes(received)) of \(Text.bytes(total))")
        if let rate, rate > 0 {
            parts.append("\(Text.bytes(UInt64(rate)))/s")
            parts.append("\(Text.duration(Double(total - min(total, received)) / rate)) left")
        }
        return parts.joined(separator: ", ")
    }
}
