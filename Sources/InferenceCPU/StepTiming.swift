internal import Platform
internal import Synchronization

/// The time of each pass of a network and of its phases, for benchmarks. Used by one thread.
final class StepTiming {
    let clock = PhaseClock()
    private(set) var layers: [LayerTime] = []

    /// Runs `body` as the pass `name`, where the time is wanted.
    static func time(_ timing: StepTiming?, _ name: String, _ operationCount: Int, _ body: () -> Void) {
        guard let timing else { return body() }
        let start = Instant.now
        body()
        timing.add(name, operationCount, seconds: Instant.now - start)
    }

    private func add(_ name: String, _ operationCount: Int, seconds: Double) {
        let index = layers.firstIndex { $0.name == name } ?? layers.count
        if index == layers.count { layers.append(LayerTime(name: name)) }
        layers[index].seconds += seconds
        layers[index].productOperationCount += operationCount
        layers[index].inputTransformSeconds += clock.take(.inputTransform)
        layers[index].productSeconds += clock.take(.product)
        layers[index].outputTransformSeconds += clock.take(.outputTransform)
        layers[index].otherSeconds += clock.take(.other)
    }
}

/// Where the time of one layer goes. Seconds of phases are summed over threads; what is missing to `seconds * threads` was waiting.
package struct LayerTime: Sendable {
    package let name: String
    /// From the layer's beginning to its end.
    package fileprivate(set) var seconds = 0.0
    package fileprivate(set) var inputTransformSeconds = 0.0
    package fileprivate(set) var productSeconds = 0.0
    package fileprivate(set) var outputTransformSeconds = 0.0
    package fileprivate(set) var otherSeconds = 0.0
    /// Multiplications and additions of the products, each counted.
    package fileprivate(set) var productOperationCount = 0

    fileprivate init(name: String) { self.name = name }
}

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
