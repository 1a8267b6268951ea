internal import Platform
internal import Synchronization

/// A fixed set of threads that run the tasks of one job at a time; the calling thread is one of them.
final class ThreadTeam: Sendable {
    typealias Body = @Sendable (_ worker: Int, _ task: Int) -> Void

    /// What the threads share; apart from the team so that a thread does not keep the team alive.
    private final class Core: Sendable {
        struct State {
            var generation = 0
            var taskCount = 0
            var body: Body?
            /// Helpers that have not finished the job.
            var busyCount = 0
            var isStopping = false
        }

        let state = Monitor(State())
        let nextTask = Atomic<Int>(0)

        /// Takes tasks until none is left.
        func work(_ worker: Int, _ taskCount: Int, _ body: Body) {
            while true {
                let task = nextTask.wrappingAdd(1, ordering: .relaxed).oldValue
                guard task < taskCount else { return }
                body(worker, task)
            }
        }

        /// A helper's life.
        func serve(_ worker: Int) {
            var seen = 0
            while true {
                let job = state.wait { state -> (Int, Body)?? in
                    if state.isStopping { return .some(nil) }
                    guard state.generation != seen, let body = state.body else { return nil }
                    seen = state.generation
                    return (state.taskCount, body)
                }
                guard let (taskCount, body) = job ?? nil else { return }
                work(worker, taskCount, body)
                state.withLockNotifyingAll { $0.busyCount -= 1 }
            }
        }
    }

    private let core = Core()
    private let helpers: [WorkerThread]

    /// Threads including the caller's.
    var count: Int { helpers.count + 1 }

    /// Starts `count - 1` helpers.
    ///
    /// - Throws: `SystemError` when the system has no thread left.
    init(count: Int) throws(SystemError) {
        let core = core
        var started: [WorkerThread] = []
        do throws(SystemError) {
            for worker in 1..<max(1, count) {
                started.append(try WorkerThread(name: "convolve-\(worker)") { core.serve(worker) })
            }
        } catch {
            core.state.withLockNotifyingAll { $0.isStopping = true }
            for thread in started { thread.join() }
            throw error
        }
        helpers = started
    }

    deinit {
        core.state.withLockNotifyingAll { $0.isStopping = true }
        for thread in helpers { thread.join() }
    }

    /// Runs `body` for every task in `0..<taskCount`, on all threads, and returns when all are done.
    ///
    /// Called by one thread at a time. `worker` is in `0..<count`, and no two tasks run under one number at once.
    func run(taskCount: Int, _ body: @escaping Body) {
        // All helpers are idle here: the previous call waited for them.
        core.nextTask.store(0, ordering: .relaxed)
        let helperCount = helpers.count
        core.state.withLockNotifyingAll { state in
            state.generation += 1
            state.taskCount = taskCount
            state.body = body
            state.busyCount = helperCount
        }
        core.work(0, taskCount, body)
        core.state.wait { state -> Void? in
            guard state.busyCount == 0 else { return nil }
            state.body = nil
        }
    }
}
