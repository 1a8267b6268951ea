/// What every image has, by the name that `ImageBody` gives it.
package enum BuiltInField: String, CaseIterable, Hashable, Sendable {
    /// Below the root, such as `2021/05/a.jpg`; compared with an absolute path, the absolute one.
    case path
    /// The root's absolute path.
    case root
    /// `jpeg` or `png`.
    case format
    case width
    case height
    case bytes
    /// As text, `2021-05-03T12:00:00Z`: `$prefix` is a year, a month or a day.
    case modified
    case added

    package var kind: FilterValue.Kind {
        switch self {
        case .path, .root, .format, .modified, .added: .string
        case .width, .height, .bytes: .number
        }
    }
}

/// What a condition of a filter is about.
package enum FilterField: Hashable, Sendable {
    case builtIn(BuiltInField)
    /// A member of the document: the names that lead to it, each followed by a zero byte; empty for the document
    /// itself.
    case document([UInt8])

    /// The word that says "of the document", for members whose name is a built-in field's.
    package static let documentName = "document"
    /// `path`, compared with bytes in percent-encoding instead of text.
    static let pathBytesName = "path_bytes"

    /// Reads a name as filters spell it: `camera`, `exif.iso`, `width`, `document.width`. A backslash takes the meaning
    /// of a dot or a backslash after it.
    ///
    /// - Throws: what is wrong with it.
    init(_ text: String) throws(FilterError.Reason) {
        guard text.utf8.count <= FilterLimits.nameByteCount else {
            throw .init("a field's name has more than \(FilterLimits.nameByteCount) bytes")
        }
        var names = try Self.names(in: Array(text.utf8))
        let first = String(decoding: names[0], as: UTF8.self)
        if let field = first == Self.pathBytesName ? .path : BuiltInField(rawValue: first) {
            guard names.count == 1 else {
                throw .init(
                    "`\(first)` is a field of every image and has no parts; the document's is `\(Self.documentName).\(text)`"
                )
            }
            self = .builtIn(field)
            return
        }
        if first == Self.documentName { names.removeFirst() }
        self = .document(names.flatMap { $0 + [0] })
    }

    private static func names(in text: [UInt8]) throws(FilterError.Reason) -> [[UInt8]] {
        var names: [[UInt8]] = [[]]
        var isEscaped = false
        for byte in text {
            switch byte {
            case 0: throw .init("a field's name holds a zero byte")
            case UInt8(ascii: "\\") where !isEscaped: isEscaped = true
            case UInt8(ascii: ".") where !isEscaped: names.append([])
            default:
                if isEscaped, byte != UInt8(ascii: "."), byte != UInt8(ascii: "\\") {
                    throw .init("a backslash in a field's name stands before a dot or a backslash")
                }
                names[names.count - 1].append(byte)
                isEscaped = false
            }
        }
        guard !isEscaped, !names.contains([]) else { throw .init("a part of the field's name is empty") }
        return names
    }
}
