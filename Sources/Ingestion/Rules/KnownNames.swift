internal import Platform

/// Names that say by themselves what a file or folder is. Names are bytes; ASCII letters compare without case.
enum KnownNames {
    enum Kind: Equatable {
        /// `*.json`.
        case document
        /// Something else than a still image.
        case other
        /// The bytes decide.
        case unknown
    }

    /// What a file's name extension says of it.
    static func kind(ofFile name: ArraySlice<UInt8>) -> Kind {
        if name.first == dot, IgnoreFile.names.contains(Array(name)) { return .other }
        guard let ending = fileExtension(name) else { return .unknown }
        if ending == json { return .document }
        return otherExtensions.contains(ending) ? .other : .unknown
    }

    /// Whether other programs call so what they keep for themselves or have not finished: bins, thumbnails and snapshots of
    /// NAS systems and desktops, copies of editors, downloads under way.
    static func isPrivate(_ name: ArraySlice<UInt8>, isFolder: Bool) -> Bool {
        guard let first = name.first, let last = name.last else { return false }
        if last == UInt8(ascii: "~") { return true }
        if let known = privateNames[lowercased(first)], known.contains(where: { equal(name, $0) }) { return true }
        if let known = privateBeginnings[lowercased(first)],
            known.contains(where: { equal(name.prefix($0.count), $0) })
        {
            return true
        }
        if !isFolder, last | 0x20 == UInt8(ascii: "l"), isExiftoolCopy(name) { return true }
        return fileExtension(name).map { privateExtensions.contains($0) } ?? false
    }

    /// exiftool keeps `photo.jpg` as `photo.jpg_original` when it changes it.
    private static func isExiftoolCopy(_ name: ArraySlice<UInt8>) -> Bool {
        guard equal(name.suffix(exiftoolEnding.count), exiftoolEnding) else { return false }
        let stem = name.dropLast(exiftoolEnding.count)
        return stem.lastIndex(of: dot).map { (2...6).contains(stem.endIndex - $0) } ?? false
    }

    /// Whether a folder is one in which a Photos library of macOS keeps what it made from the photos.
    static func isLibraryCache(_ path: RelativePath) -> Bool {
        libraryCaches.contains { equal(path.name, $0) } && fileExtension(path.parent.name) == library
    }

    // MARK: Names

    private static let privateNames = byInitial([
        // Synology, QNAP, FreeNAS, NetApp, Samba, Windows, ext4.
        "@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot", "~snapshot", "$recycle.bin",
        "recycler", "lost+found", "system volume information", "thumbs.db", "desktop.ini",
        // Nextcloud.
        "files_trashbin", "files_versions",
        // The others have a meaning only where names that begin with a dot are looked at.
        ".@__thumb", ".recycle", ".snapshot", ".snapshots", ".zfs", ".trash", ".trashes", ".thumbnails",
        ".appledouble", ".fseventsd", ".spotlight-v100", ".documentrevisions-v100", ".temporaryitems",
        ".stversions", ".stfolder", ".dropbox.cache", ".rsync-partial", ".git", ".hg", ".svn",
    ])
    /// Syncthing, the trash of a user, resource forks of macOS, files that are deleted while open, and GLib's copies.
    private static let privateBeginnings = byInitial([
        "~syncthing~", ".syncthing.", ".trash-", "._", ".nfs0", ".fuse_hidden", ".goutputstream-",
    ])
    private static let exiftoolEnding = Array("_original".utf8)
    private static let libraryCaches = ["resources", "derivatives", "database", "private", "scopes"]
        .map { Array($0.utf8) }

    private static func byInitial(_ names: [String]) -> [UInt8: [[UInt8]]] {
        Dictionary(grouping: names.map { Array($0.utf8) }) { $0[0] }
    }

    private static func equal(_ name: ArraySlice<UInt8>, _ lowercase: [UInt8]) -> Bool {
        name.count == lowercase.count && zip(name, lowercase).allSatisfy { lowercased($0) == $1 }
    }

    // MARK: Extensions

    /// An extension of at most 16 bytes in lower case, packed into one number: comparing it needs no text.
    private typealias Extension = UInt128

    private static func fileExtension(_ name: ArraySlice<UInt8>) -> Extension? {
        guard let dot = name.lastIndex(of: dot), name.endIndex - dot <= 17 else { return nil }
        return name[(dot + 1)...].reduce(0) { $0 << 8 | Extension(lowercased($1)) }
    }

    private static func packed(_ words: String) -> Set<Extension> {
        Set(words.split(separator: " ").map { $0.utf8.reduce(0) { $0 << 8 | Extension($1) } })
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static let dot = UInt8(ascii: ".")
    private static let json = packed("json").first
    private static let library = packed("photoslibrary").first
    private static let privateExtensions = packed(
        "tmp part partial crdownload download opdownload swp lrdata lrcat-data"
    )
    /// Well-known names of things that are no still images; they would only fill the list of errors.
    private static let otherExtensions = packed(
        """
        txt md rst log htm html css js xml xmp yaml yml toml ini conf csv tsv sql sh py c h swift rtf docx xlsx pptx odt \
        ods odp epub zip tar gz bz2 xz zst 7z rar iso mp3 m4a flac ogg opus wav aac wma mp4 m4v mov avi mkv webm wmv mts \
        m2ts 3gp mpg mpeg srt aae db sqlite lrcat
        """
    )
}
