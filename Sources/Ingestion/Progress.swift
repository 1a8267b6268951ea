internal import Platform

/// How much was done, how fast, and how long the rest takes. No clock of its own.
struct Progress: Sendable {
    /// Images made searchable in one second of work.
    private struct Slice {
        var start: Instant
        var count: Int
    }

    /// The rate is that of the last so many seconds of work.
    private static let window = 30.0
    /// A load that pauses for so long has ended.
    private static let restAfter = 2.0

    private var slices: [Slice] = []
    private var loadStart: Instant?
    private var idleSince: Instant?
    /// Files done since the present load began.
    private(set) var doneCount = 0

    /// Tells that work waits (or no longer does). Call it whenever that may have changed.
    mutating func setBusy(_ isBusy: Bool, at now: Instant) {
        if isBusy {
            if let idle = idleSince, now - idle > Self.restAfter { loadStart = nil }
            idleSince = nil
            if loadStart == nil {
                loadStart = now
                doneCount = 0
                slices.removeAll()
            }
        } else if idleSince == nil {
            idleSince = now
        }
    }

    /// Counts files that are done; `imageCount` of them became searchable.
    mutating func add(fileCount: Int, imageCount: Int, at now: Instant) {
        doneCount += fileCount
        guard imageCount > 0 else { return }
        if let last = slices.last, now - last.start < 1 {
            slices[slices.count - 1].count += imageCount
        } else {
            slices.append(Slice(start: now, count: imageCount))
            slices.removeAll { now - $0.start > Self.window }
        }
    }

    /// Images a second over the last 30 s of work; 0 when idle.
    func imagesPerSecond(at now: Instant) -> Double {
        guard let loadStart, idleSince == nil else { return 0 }
        let recent = slices.filter { now - $0.start <= Self.window }
        let seconds = min(Self.window, now - loadStart)
        return seconds > 0.1 ? Double(recent.reduce(0) { $0 + $1.count }) / seconds : 0
    }

    /// Seconds until `waitingCount` files are done at the present rate; nil when there is none.
    func remainingSeconds(waitingCount: Int, at now: Instant) -> Double? {
        let rate = imagesPerSecond(at: now)
        return rate > 0 && waitingCount > 0 ? Double(waitingCount) / rate : nil
    }
}
