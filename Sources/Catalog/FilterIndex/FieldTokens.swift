internal import Filters
internal import Platform

/// What of an image stands in `field`: the keys, without their container, of all bitmaps that it is a member of.
struct FieldTokens {
    /// Keys of one document; beyond it the image counts as incomplete.
    private static let documentLimit = 256
    private static let folderLimit = 16

    /// A key can stand here more than once.
    private(set) var keys = [FieldKey.suffix(.everything, .present)]

    init(_ image: ImageRecord) {
        add(FilterValue(string: Array(image.format.utf8)), of: .format)
        add(FilterValue(Double(image.width)), of: .width)
        add(FilterValue(Double(image.height)), of: .height)
        add(FilterValue(Double(image.byteCount)), of: .bytes)
        add(FilterValue(string: Timestamp.bytes(image.modified)), of: .modified)
        add(FilterValue(string: Timestamp.bytes(image.added)), of: .added)
        keys.append(Self.key(of: image.key.root))
        addFolders(of: image.key.path)
        addMembers(DocumentField.fields(of: image.document))
    }

    static func key(of root: RootID) -> [UInt8] {
        FieldKey.suffix(.root, .fine(.string), FileKey.prefix(of: root))
    }

    private mutating func add(_ value: FilterValue, of field: FieldKey.Field) {
        let precision = field.precision(value.kind)
        if precision.coarse > 0 {
            keys.append(FieldKey.suffix(field, .coarse(value.kind), Array(value.bytes.prefix(precision.coarse))))
        }
        if let fine = precision.fine {
            keys.append(FieldKey.suffix(field, .fine(value.kind), Array(value.bytes.prefix(fine))))
        } else if value.bytes.count <= FieldKey.Field.longestValue {
            keys.append(FieldKey.suffix(field, .fine(value.kind), value.bytes))
        } else {
            keys.append(FieldKey.suffix(field, .long))
        }
    }

    /// `2021/05/a.jpg` lies in `2021/` and in `2021/05/`.
    private mutating func addFolders(of path: RelativePath) {
        let slashes = path.bytes.indices.filter { path.bytes[$0] == UInt8(ascii: "/") }
        for slash in slashes.prefix(Self.folderLimit) where slash < FieldKey.Field.longestValue {
            keys.append(FieldKey.suffix(.folder, .fine(.string), Array(path.bytes[...slash])))
        }
        let isWhole = slashes.count <= Self.folderLimit && slashes.last ?? 0 < FieldKey.Field.longestValue
        if !isWhole { keys.append(FieldKey.suffix(.folder, .long)) }
    }

    private mutating func addMembers(_ members: [DocumentField]) {
        let limit = keys.count + Self.documentLimit
        for member in members {
            guard keys.count < limit, member.path.count <= FieldKey.Field.longestPath else {
                keys.append(FieldKey.suffix(.incomplete, .present))
                // Others may be short, and no document is so large that looking at them matters.
                if keys.count < limit { continue } else { return }
            }
            if let value = member.value {
                add(value, of: .document(member.path))
            } else {
                keys.append(FieldKey.suffix(.document(member.path), .present))
            }
        }
    }
}
