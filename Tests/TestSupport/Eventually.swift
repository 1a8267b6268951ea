import Platform

/// Waits for a condition that another thread or process brings about.
///
/// The limit is there to end a test that hangs. It says nothing about speed, so it is generous: a machine that is busy
/// with other things must not fail a test.
///
/// - Parameters:
///   - limit: seconds after which the condition counts as never fulfilled.
///   - condition: asked again every hundredth of a second.
/// - Returns: whether the condition was fulfilled.
package func eventually(within limit: Double = 60, _ condition: () throws -> Bool) rethrows -> Bool {
    let deadline = Instant.now + limit
    while try !condition() {
        guard Instant.now < deadline else { return false }
        sleep(seconds: 0.01)
    }
    return true
}
