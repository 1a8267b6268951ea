internal import Glibc

/// A failed system call: what was tried, on what, and the kernel's code.
package struct SystemError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The `errno` value.
    package let code: Int32
    /// What was tried, with the object at fault, such as `open /photos/a.jpg`.
    package let operation: String

    package init(code: Int32, operation: String) {
        self.code = code
        self.operation = operation
    }

    /// The calling thread's current `errno`; call it directly after the failed call.
    package static func last(_ operation: @autoclosure () -> String) -> SystemError {
        let code = errno
        return SystemError(code: code, operation: operation())
    }

    package var description: String { "\(operation): \(String(cString: strerror(code)))" }
}

/// Runs a call that returns -1 on failure, again while it is interrupted (EINTR).
///
/// - Throws: `SystemError` with the call's errno.
@discardableResult
package func retrying<R: FixedWidthInteger & SignedInteger>(
    _ operation: @autoclosure () -> String,
    _ call: () -> R
) throws(SystemError) -> R {
    while true {
        let result = call()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError.last(operation()) }
    }
}
