internal import Filters
internal import Platform
internal import Storage

/// Keys of `field`: container, field, type and value, so that the records of new images lie together, those of one field in a container
/// too, and values are in their order. `README.md` specifies them.
enum FieldKey {
    /// What of an image a bitmap is about; these bytes stand after the container.
    enum Field: Hashable {
        /// Every image.
        case everything
        /// Images of which not every member of the document is here.
        case incomplete
        case document([UInt8])
        case format
        case width
        case height
        case bytes
        case modified
        case added
        case root
        /// A folder that the file lies in at some depth, with its slash.
        case folder

        /// Paths of documents are shorter than 200 bytes, whose count comes first; other fields are numbers from 200 on.
        var code: [UInt8] {
            switch self {
            case .document(let path): [UInt8(path.count)] + path
            case .everything: [200]
            case .incomplete: [201]
            case .format: [202]
            case .width: [203]
            case .height: [204]
            case .bytes: [205]
            case .modified: [206]
            case .added: [207]
            case .root: [208]
            case .folder: [209]
            }
        }

        /// How much of a value is in its two keys: the first bytes (`coarse`; 0: there is no such key), and more of them (`fine`; nil: all).
        ///
        /// Unions of many values go by the coarse keys, and by the fine ones at their ends only. Values that are cut are not told apart:
        /// where that matters the images themselves are asked.
        func precision(_ kind: FilterValue.Kind) -> (coarse: Int, fine: Int?) {
            switch (self, kind) {
            // Sixteen to an octave: few images lie at the ends of a range.
            case (.bytes, _): (0, 2)
            // Months and days.
            case (.modified, _), (.added, _): (7, 10)
            // The nearest double: only large whole numbers have more.
            case (.document, .number): (2, FilterValue.doubleByteCount)
            case (.width, _), (.height, _): (2, nil)
            case (.document, .string): (4, nil)
            default: (0, nil)
            }
        }

        /// Whether a value of this kind that is as long as its fine key is there as a whole, so that no other one has that key but
        /// longer ones.
        func hasWholeValues(_ kind: FilterValue.Kind) -> Bool {
            if case .document = self { kind == .number } else { false }
        }

        /// Paths that are longer have no records of their own.
        static let longestPath = 120
        static let longestValue = 255
    }

    /// What follows the field.
    enum Kind: Hashable {
        /// The field is there.
        case present
        case fine(FilterValue.Kind)
        case coarse(FilterValue.Kind)
        /// A string that is longer than `longestValue`.
        case long

        var code: UInt8 {
            switch self {
            case .present: 0
            case .fine(let kind): kind.rawValue
            case .coarse(let kind): 8 + kind.rawValue
            case .long: 16
            }
        }
    }

    /// All but the container.
    static func suffix(_ field: Field, _ kind: Kind, _ value: [UInt8] = []) -> [UInt8] {
        field.code + [kind.code] + value
    }

    /// The place of a value among keys, whose values end at `longestValue`: LMDB takes no key of any length.
    static func bounded(_ value: [UInt8]) -> [UInt8] {
        value.count > Field.longestValue ? value.prefix(Field.longestValue) + [0] : value
    }

    static func prefix(container: UInt64) -> [UInt8] {
        stride(from: 32, through: 0, by: -8).map { UInt8(truncatingIfNeeded: container >> UInt64($0)) }
    }

    /// The container of a stored key; nil when it is too short.
    static func container(of key: RawSpan) -> UInt64? {
        guard let high = key.integer(at: 0, as: UInt8.self), let low = key.integer(at: 1, as: UInt32.self) else {
            return nil
        }
        return UInt64(high) << 32 | UInt64(low.byteSwapped)
    }

    /// How errors call a record.
    static func name(_ key: [UInt8]) -> String {
        "field " + key.hexadecimal
    }
}
