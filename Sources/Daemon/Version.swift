internal import Wire

/// What this program is.
package enum Version {
    package static let number = "0.1.0"

    static let response = VersionResponse(
        name: "likenessd",
        version: number,
        api: 1,
        capabilities: WireProtocol.capabilities,
        libraries: [:]
    )
}
