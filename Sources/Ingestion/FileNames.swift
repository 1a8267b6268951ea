internal import Platform

/// What a file's or directory's name alone says. Names are bytes; ASCII letters compare without case.
enum FileNames {
    /// What to do with a file of a name.
    enum Verdict: Hashable {
        /// Look at the bytes.
        case candidate
        /// `*.json`: the document of an image beside it, or nothing.
        case sidecar
        /// Not an image by name: no row, no error.
        case skipped
    }

    static func verdict(_ name: some Collection<UInt8>) -> Verdict {
        let text = lowercased(name)
        if isIgnored(text) { return .skipped }
        let ending = fileExtension(text)
        if ending == "json" { return .sidecar }
        return otherExtensions.contains(ending) ? .skipped : .candidate
    }

    /// Whether nothing below a directory of this name is looked at.
    static func skipsDirectory(_ name: some Collection<UInt8>) -> Bool { isIgnored(lowercased(name)) }

    /// Whether any component of the path makes it skipped.
    static func skips(_ path: RelativePath) -> Bool {
        let parts = path.bytes.split(separator: UInt8(ascii: "/"))
        guard let name = parts.last else { return false }
        return parts.dropLast().contains { skipsDirectory($0) } || verdict(name) == .skipped
    }

    /// Hidden names, and what other programs call files that they have not finished, or keep for themselves:
    /// rsync, browsers, Syncthing, Synology, desktops' bins.
    private static func isIgnored(_ name: String) -> Bool {
        name.hasPrefix(".") || name.hasSuffix("~") || name.hasPrefix("~syncthing~") || ignoredNames.contains(name)
            || unfinishedExtensions.contains(fileExtension(name))
    }

    private static let ignoredNames: Set<String> = [
        "@eadir", "#recycle", "$recycle.bin", "lost+found", "system volume information", "thumbs.db", "desktop.ini",
    ]
    private static let unfinishedExtensions: Set<String> = [
        "tmp", "part", "partial", "crdownload", "download", "opdownload", "swp",
    ]
    /// Well-known names of things that are no still images; they would only fill the list of errors.
    private static let otherExtensions: Set<String> = [
        "txt", "md", "rst", "log", "htm", "html", "css", "js", "xml", "xmp", "yaml", "yml", "toml", "ini", "conf",
        "csv",
        "tsv", "sql", "sh", "py", "c", "h", "swift", "rtf", "docx", "xlsx", "pptx", "odt", "ods", "odp", "epub", "zip",
        "tar", "gz", "bz2", "xz", "zst", "7z", "rar", "iso", "mp3", "m4a", "flac", "ogg", "opus", "wav", "aac", "wma",
        "mp4", "m4v", "mov", "avi", "mkv", "webm", "wmv", "mts", "m2ts", "3gp", "mpg", "mpeg", "srt", "aae", "db",
        "sqlite", "lrcat", "lrdata",
    ]

    private static func fileExtension(_ name: String) -> String {
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")) else { return "" }
        return String(name[name.index(after: dot)...])
    }

    private static func lowercased(_ name: some Collection<UInt8>) -> String {
        String(decoding: name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
