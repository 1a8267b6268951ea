/// A first-in-first-out queue between threads with a fixed capacity: `push` blocks while it is full.
///
/// After `close`, pushes are refused and pops drain what is left, then return nil.
package final class BoundedQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements = Fifo<Element>()
        var isClosed = false
    }

    private let monitor = Monitor(State())
    /// Most elements held at once, at least 1.
    package let capacity: Int

    package init(capacity: Int) {
        precondition(capacity > 0, "a queue of capacity \(capacity) can hold nothing")
        self.capacity = capacity
    }

    /// Elements waiting now.
    package var count: Int { monitor.withLock { $0.elements.count } }

    /// Adds at the end, waiting while the queue is full.
    ///
    /// - Returns: false when the queue is closed; the element is dropped then.
    @discardableResult
    package func push(_ element: Element) -> Bool {
        monitor.wait { state -> Bool? in
            if state.isClosed { return false }
            guard state.elements.count < self.capacity else { return nil }
            state.elements.append(element)
            return true
        } ?? false
    }

    /// Takes the first element, waiting for one until `deadline`.
    ///
    /// - Returns: nil at the deadline, or when the queue is closed and empty.
    package func pop(until deadline: Instant? = nil) -> Element? {
        let taken = monitor.wait(until: deadline) { state -> Element?? in
            if let first = state.elements.popFirst() { return .some(first) }
            return state.isClosed ? .some(nil) : nil
        }
        return taken ?? nil
    }

    /// Refuses further pushes and wakes everybody.
    package func close() { monitor.withLockNotifyingAll { $0.isClosed = true } }
}
