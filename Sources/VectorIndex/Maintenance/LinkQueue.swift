internal import Platform

/// Published vectors on their way into the graph, and who may change the graph meanwhile.
///
/// Linkers work side by side; `whileQuiesced` quiesces them, waits for those at work and holds the others back, for
/// what needs the graph at rest for a moment: a new quantizer, the start of a checkpoint or of a repair.
final class LinkQueue: Sendable {
    private struct State {
        var slots = PendingSlots()
        /// Being linked: still scanned by searches.
        var linking: [UInt32] = []
        var isOpen = false
        var isQuiesced = false
        /// No linker runs, or those that do are to end.
        var isStopping = true
        /// Repairs and orphan scans asked for or running.
        var wantsMaintenance = false
        var isInMaintenance = false
        var maintenanceBegan = Instant.now
        /// Vectors were linked since the last maintenance began: some may have lost their last way in.
        var mayHaveOrphans = false
        /// When maintenance for that may begin.
        var orphanScanDue = Instant.now
        /// Threads in `waitUntilIdle`, for which it begins at once.
        var waiterCount = 0
        /// Maintenance edits lists just now.
        var isInMaintenanceStep = false
    }

    /// What a linker does next.
    enum Work {
        case link(Slot)
        case maintenance
        case stop
    }

    /// Orphan scans that nothing but time asks for take this share of a core's at most, and a minute at most passes
    /// without.
    private static let orphanScanShare = 1.0 / 64
    private static let longestDelay = 60.0

    private let monitor = Monitor(State())

    func append(_ slots: [UInt32]) {
        guard !slots.isEmpty else { return }
        monitor.withLockNotifyingAll { $0.slots.append(slots) }
    }

    /// Takes removed slots out again while linking has not begun, and returns those it found.
    func withdraw(_ removed: Set<UInt32>) -> [UInt32] {
        guard !removed.isEmpty else { return [] }
        return monitor.withLockNotifyingAll { state in
            guard !state.isOpen else { return [] }
            return state.slots.remove(removed)
        }
    }

    /// Lets linkers begin: the collection is large enough for a graph.
    func open() { monitor.withLockNotifyingAll { $0.isOpen = true } }

    var isOpen: Bool { monitor.withLock { $0.isOpen } }

    /// Whether linkers take what is appended.
    var isAtWork: Bool { monitor.withLock { $0.isOpen && !$0.isStopping } }

    func requestMaintenance() { monitor.withLockNotifyingAll { $0.wantsMaintenance = true } }

    /// The slots that a search has to scan: a snapshot that later changes leave alone, taken without copying a slot.
    var pending: PendingSlots.Snapshot { monitor.withLock { $0.slots.snapshot(linking: $0.linking) } }

    var pendingCount: Int { monitor.withLock { $0.slots.count + $0.linking.count } }

    /// Blocks until there is work. `finish` or `finishMaintenance` follows each.
    func next() -> Work {
        while true {
            // Not sooner than that: a due orphan scan waits for what runs quiesced, which wakes nobody for it.
            let due = monitor.withLock {
                $0.mayHaveOrphans && !$0.isInMaintenance ? max($0.orphanScanDue, .now + 0.01) : nil
            }
            if let work = monitor.wait(until: due, { Self.work(&$0) }) { return work }
        }
    }

    private static func work(_ state: inout State) -> Work? {
        if state.isStopping { return .stop }
        guard state.isOpen, !state.isQuiesced else { return nil }
        let isDrained = state.slots.isEmpty
        let isOrphanScanDue =
            state.mayHaveOrphans && isDrained && (state.waiterCount > 0 || state.orphanScanDue <= .now)
        if state.wantsMaintenance || isOrphanScanDue, !state.isInMaintenance {
            state.wantsMaintenance = false
            state.mayHaveOrphans = false
            state.isInMaintenance = true
            state.maintenanceBegan = .now
            return .maintenance
        }
        guard let slot = state.slots.popFirst() else { return nil }
        state.linking.append(slot)
        return .link(Slot(rawValue: slot))
    }

    func finish(_ slot: Slot) {
        monitor.withLockNotifyingAll { state in
            guard let index = state.linking.firstIndex(of: slot.rawValue) else { return }
            state.linking.swapAt(index, state.linking.count - 1)
            state.linking.removeLast()
            state.mayHaveOrphans = true
        }
    }

    func finishMaintenance() {
        monitor.withLockNotifyingAll { state in
            state.isInMaintenance = false
            let now = Instant.now
            state.orphanScanDue = now + min(Self.longestDelay, (now - state.maintenanceBegan) / Self.orphanScanShare)
        }
    }

    /// Runs a part of the maintenance beside the linkers; parts are short, because `whileQuiesced` waits for them.
    func inMaintenanceStep<R>(_ body: () -> R) -> R {
        _ = monitor.wait { state -> Bool? in
            if state.isQuiesced { return nil }
            state.isInMaintenanceStep = true
            return true
        }
        defer { monitor.withLockNotifyingAll { $0.isInMaintenanceStep = false } }
        return body()
    }

    /// Quiesces linkers and maintenance and runs `body`: nothing else edits lists or compares codes for that meanwhile.
    func whileQuiesced<R>(_ body: () -> R) -> R {
        _ = monitor.wait { state -> Bool? in
            if state.isQuiesced { return nil }
            state.isQuiesced = true
            return true
        }
        _ = monitor.wait { $0.linking.isEmpty && !$0.isInMaintenanceStep ? true : nil }
        defer { monitor.withLockNotifyingAll { $0.isQuiesced = false } }
        return body()
    }

    /// Blocks until everything is linked and in order, or linkers stop.
    func waitUntilIdle() {
        monitor.withLockNotifyingAll { $0.waiterCount += 1 }
        defer { monitor.withLockNotifyingAll { $0.waiterCount -= 1 } }
        _ = monitor.wait { state -> Bool? in
            if state.isStopping || !state.isOpen { return true }
            let isBusy = !state.slots.isEmpty || !state.linking.isEmpty
            return isBusy || state.mayHaveOrphans || state.wantsMaintenance || state.isInMaintenance ? nil : true
        }
    }

    /// Backpressure: blocks while more than `limit` slots wait, unless linkers stop or have not begun.
    func applyBackpressure(_ limit: Int) {
        _ = monitor.wait { state -> Bool? in
            if state.isStopping || !state.isOpen { return true }
            return state.slots.count > limit ? nil : true
        }
    }

    func start() { monitor.withLockNotifyingAll { $0.isStopping = false } }
    func stop() { monitor.withLockNotifyingAll { $0.isStopping = true } }

    /// Linkers are to end after the vector each is at, and maintenance after the part it is in.
    var isStopping: Bool { monitor.withLock { $0.isStopping } }
}
