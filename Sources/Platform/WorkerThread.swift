internal import CPlatform
internal import Glibc

/// A named operating-system thread for work that blocks: system calls, LMDB, BLAS, fences, HTTP.
///
/// Swift's cooperative pool has one thread a core, so a task that blocks there keeps other tasks from running, and may keep
/// the one that it waits for from running. All work of this daemon blocks, so it runs on threads like this one. `join`
/// may be called once, by one thread.
package final class WorkerThread: Sendable {
    private final class Start {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    private let handle: pthread_t

    /// Starts `body` on a new thread.
    ///
    /// - Parameters:
    ///   - name: shown by `ps -L` and debuggers; the kernel keeps 15 bytes.
    ///   - stackByteCount: the stack, 1 MiB unless told.
    ///   - body: runs once; the thread ends when it returns.
    /// - Throws: `SystemError` when the system has no thread left.
    package init(
        name: String,
        stackByteCount: Int = 1 << 20,
        _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackByteCount)
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var created = pthread_t()
        let code = pthread_create(
            &created,
            &attributes,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                CPlatform_set_thread_name(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard code == 0 else {
            start.release()
            throw SystemError(code: code, operation: "start thread \(name)")
        }
        handle = created
    }

    /// Names the calling thread; on the main thread, the process.
    package static func nameCurrent(_ name: String) { CPlatform_set_thread_name(name) }

    /// Lets other threads go first where cores are few: raises the nice value of the calling thread by `step`, to 19 at most.
    /// On Linux that value is a thread's own (sched(7)).
    package static func lowerCurrentPriority(by step: Int32) { _ = nice(step) }

    /// Waits until the body has returned.
    package func join() { pthread_join(handle, nil) }

    /// Cores this process may run on, at least 1.
    package static var availableCoreCount: Int {
        max(1, Int(CPlatform_available_cores()))
    }
}
