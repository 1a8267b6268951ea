/// One entry of the change feed: what a change did to one image.
///
/// A follower needs nothing else: `removed` takes the image away, every other operation means that the image is read again by its
/// id. An image that is not there any more by then has a later `removed` entry, so applying an entry twice, or late, does no harm.
package struct ChangeEvent: Hashable, Sendable {
    package enum Operation: UInt8, Sendable {
        /// A new image.
        case added = 1
        /// Other bytes, or the same ones read again, under the image's id.
        case replaced
        /// The image is gone; its id is never given again.
        case removed
        /// The file has another name.
        case moved
        /// The document changed.
        case documented
        /// The file's size or time changed, and its bytes did not.
        case refreshed
    }

    /// Rises by 1 from one entry of the collection to the next, starting with 1.
    package var sequence: UInt64
    package var operation: Operation
    package var image: ImageID
    /// When it was applied, in nanoseconds since 1970; nil for entries of programs that did not store it.
    package var time: Int64?

    package init(sequence: UInt64, operation: Operation, image: ImageID, time: Int64?) {
        self.sequence = sequence
        self.operation = operation
        self.image = image
        self.time = time
    }
}

/// What the change feed holds after a sequence number.
package enum ChangePage: Hashable, Sendable {
    /// The next entries in order, without a hole; `last` is the newest of the collection at that moment.
    case changes([ChangeEvent], last: UInt64)
    /// Entries are missing between the number asked for and `first`, the oldest that is still there; or that number is above `last`,
    /// because the collection is an older one, out of a backup.
    ///
    /// The caller has to synchronise anew: it remembers `last`, reads all images in pages, drops those that it did not meet, and then
    /// goes on after `last`.
    case gap(first: UInt64, last: UInt64)
}

/// A named reader of the change feed, whose place is stored with the collection.
package struct FeedConsumer: Hashable, Sendable {
    package var name: String
    /// The consumer has handled everything up to this number.
    package var acknowledged: UInt64
    /// Entries that the consumer has not acknowledged were trimmed, since there were too many of them: its next page is a `gap`.
    package var isCutOff: Bool

    package init(name: String, acknowledged: UInt64, isCutOff: Bool) {
        self.name = name
        self.acknowledged = acknowledged
        self.isCutOff = isCutOff
    }
}
