internal import Wire

/// Loading, as one line.
struct Progress {
    private let progress: StatusResponse.LoadProgress
    private let waiting: Int

    init(_ status: StatusResponse) {
        progress = status.progress
        waiting = status.counts.waiting
    }

    /// `[#####.....] 52 %, 520 of 1,000, 12.3 images/s, 39 s left`; nil when nothing is being loaded.
    var line: String? {
        guard waiting > 0 || progress.done < progress.total || progress.paused != nil else { return nil }
        let fraction = progress.total > 0 ? min(1, max(0, Double(progress.done) / Double(progress.total))) : 0
        var parts = ["\(Text.count(progress.done)) of \(Text.count(progress.total))"]
        if let reason = progress.paused {
            parts.append("paused: \(Text.visible(reason))")
        } else {
            parts.append("\(Text.number(progress.imagesPerSecond, digits: 1)) images/s")
            if let remaining = progress.remaining { parts.append("\(Text.duration(remaining)) left") }
        }
        let percent = Int(fraction * 100)
        return "\(Self.bar(fraction)) \(percent) %, \(parts.joined(separator: ", "))"
    }

    /// `[#####.....]` for a fraction of 0...1.
    static func bar(_ fraction: Double) -> String {
        let filled = Int(fraction * Double(barWidth))
        return "[" + String(repeating: "#", count: filled) + String(repeating: ".", count: barWidth - filled) + "]"
    }

    private static let barWidth = 24
}
