internal import Platform
internal import Synchronization

/// Where the time of convolutions goes, summed over the threads of a team.
final class PhaseClock: Sendable {
    enum Phase: Int, CaseIterable, Sendable {
        case inputTransform, product, outputTransform, other
    }

    private let nanoseconds = [Counter](Phase.allCases.map { _ in Counter() })

    private final class Counter: Sendable { let value = Atomic<Int>(0) }

    /// Runs `body` and adds its time to a phase of `clock`, where there is one.
    static func time(_ clock: PhaseClock?, _ phase: Phase, _ body: () -> Void) {
        guard let clock else { return body() }
        let start = Instant.now
        body()
        clock.nanoseconds[phase.rawValue].value.wrappingAdd(Int((Instant.now - start) * 1e9), ordering: .relaxed)
    }

    /// Seconds of a phase since the last call.
    func take(_ phase: Phase) -> Double {
        Double(nanoseconds[phase.rawValue].value.exchange(0, ordering: .relaxed)) / 1e9
    }
}
