/// What the shell sees. Scripts decide by these, so they never change.
package enum ExitCode: Int32, Sendable {
    case ok = 0
    /// The command worked and found nothing: no image matches, or none has that id.
    case noResult = 1
    /// The command line is wrong.
    case usage = 2
    /// Nobody listens on the socket.
    case noDaemon = 3
    /// The daemon, or the kernel in front of its socket, says no; or there is no collection or model of that name.
    case refused = 4
    case failed = 5
}
