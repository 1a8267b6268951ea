internal import CPlatform

/// Who is at the other end of a connected Unix socket, as the kernel recorded it at `connect`.
package struct PeerCredentials: Hashable, Sendable {
    package let userID: UInt32
    package let groupID: UInt32
    package let processID: Int32

    package init(userID: UInt32, groupID: UInt32, processID: Int32) {
        self.userID = userID
        self.groupID = groupID
        self.processID = processID
    }

    /// The peer of a connected socket (`SO_PEERCRED`); nil where the kernel does not know it, and on any other kind of socket.
    package static func of(socket: Int32) -> PeerCredentials? {
        var (user, group, process): (UInt32, UInt32, Int32) = (0, 0, 0)
        guard CPlatform_peer_credentials(socket, &user, &group, &process) == 0 else { return nil }
        return PeerCredentials(userID: user, groupID: group, processID: process)
    }
}
