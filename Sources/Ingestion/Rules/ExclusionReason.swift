internal import Platform

/// Why an entry below a root is no image.
package enum ExclusionReason: String, CaseIterable, Sendable {
    /// A pattern, an ignore file, or a name that other programs use for bins, copies and unfinished files.
    case rule
    /// Its name begins with a dot.
    case hidden
    /// A symbolic link.
    case link
    /// A folder on which another file system is mounted.
    case otherFileSystem = "other_file_system"
    /// A folder that the daemon may not list.
    case unreadableFolder = "unreadable_folder"
    /// Below more folders than the settings allow, or with a path that the system does not take.
    case tooDeep = "too_deep"
    /// Its name says that it is something else.
    case notAnImage = "not_an_image"
    /// Of fewer bytes or pixels than the settings want.
    case tooSmall = "too_small"
    /// A pipe, a socket or a device.
    case special
    /// A document beside images.
    case document
    /// A user removed the image.
    case removed
}

/// A rule that cannot be used; the message names it and says what would be right.
package struct RuleError: Error, Sendable, Equatable, CustomStringConvertible {
    package let member: String
    package let detail: String

    package init(member: String, detail: String) {
        self.member = member
        self.detail = detail
    }

    /// A member that there is not.
    init(unknown name: String) {
        let near = nearestWord(to: name, among: RootSettings.memberNames)
        let known = RootSettings.memberNames.joined(separator: ", ")
        self.init(
            member: String(name.prefix(64)),
            detail: near.map { "unknown; did you mean `\($0)`?" } ?? "unknown; there are: \(known)"
        )
    }

    package var description: String { "\(member): \(detail)" }
}
