internal import Imaging
internal import InferenceCPU
internal import Platform
internal import Server
internal import Storage
internal import Wire

/// What this program is.
package enum Version {
    package static let number = "0.1.0"

    static let response = VersionResponse(
        name: "likenessd",
        version: number,
        api: 1,
        capabilities: WireProtocol.capabilities,
        libraries: [
            "libjpeg-turbo": ImagingLibraries.jpegVersion,
            "libmicrohttpd": HTTPServer.libraryVersion,
            "libpng": ImagingLibraries.pngVersion,
            "lmdb": Environment.libraryVersion,
            "nettle": SHA256Digest.libraryVersion,
            "openblas": CPUBackend.libraryVersion,
        ]
    )
}
