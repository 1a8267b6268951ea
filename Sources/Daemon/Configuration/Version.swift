internal import Imaging
internal import InferenceCPU
internal import Platform
internal import Server
internal import Storage

/// What this program is.
package enum Version {
    package static let number = "0.1.0"

    static let current = DaemonVersion(
        number: number,
        libraries: [
            "libjpeg-turbo": ImagingLibraries.jpegVersion,
            "libpng": ImagingLibraries.pngVersion,
            "lmdb": Environment.libraryVersion,
            "nettle": SHA256Digest.libraryVersion,
            "openblas": CPUBackend.libraryVersion,
        ]
    )
}
