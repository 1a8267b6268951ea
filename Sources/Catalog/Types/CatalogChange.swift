package import Platform

/// What the decoder and the network say of a file's bytes.
package struct ImageFeatures: Hashable, Sendable {
    /// The feature vector, fp32, of the collection's dimension.
    package var vector: [Float]
    /// `jpeg` or `png`.
    package var format: String
    /// In pixels.
    package var width: UInt32
    /// In pixels.
    package var height: UInt32

    package init(vector: [Float], format: String, width: UInt32, height: UInt32) {
        self.vector = vector
        self.format = format
        self.width = width
        self.height = height
    }
}

/// One step of what a batch changes.
package enum CatalogChange: Sendable {
    /// The file's bytes are this image. `embedded` is nil where `knowsContent` said that the vector is stored already.
    /// An image that the file had before is replaced, its id kept.
    case index(
        key: FileKey,
        stamp: FileStamp,
        content: SHA256Digest,
        embedded: ImageFeatures?,
        document: [UInt8]
    )
    /// The file cannot be searched; an image that it had before goes. An excluded file whose bytes could not be read, or are
    /// the same, stays as it is.
    case fail(key: FileKey, stamp: FileStamp, content: SHA256Digest?, failure: FileFailure)
    /// Stat refresh: the same bytes under a new `stat` (touched, copied back).
    case refreshStat(key: FileKey, stamp: FileStamp)
    /// The file moved: the image keeps its id under the new key. `from` must be indexed.
    case move(from: FileKey, to: FileKey, stamp: FileStamp)
    /// A new or changed document beside the file; empty removes it.
    case setDocument(key: FileKey, document: [UInt8])
    /// The file is gone: row and image go.
    case delete(key: FileKey)
    /// A user removed the image: it goes, the row stays as `excluded`.
    case exclude(ImageID)
}

/// What became of one change.
package enum CatalogOutcome: Hashable, Sendable {
    case done(ImageID?)
    /// `index` without a vector, or `move`, whose content has gone meanwhile: embed it and apply again.
    case needsVector
    /// The change names an image or file that is not there; nothing was changed.
    case notFound
}
