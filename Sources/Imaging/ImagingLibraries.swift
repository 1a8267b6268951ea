internal import CImaging

/// The codecs in use.
package enum ImagingLibraries {
    /// Of libpng, as loaded.
    package static var pngVersion: String { String(cString: CImaging_png_version()) }

    /// Of libjpeg-turbo, as compiled against: its classic interface does not tell the one that is loaded.
    package static var jpegVersion: String { String(cString: CImaging_jpeg_version()) }
}
