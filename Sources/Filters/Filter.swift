/// A condition on images: on their documents and on what every image has. `README.md` specifies the language.
///
/// `{"camera":"X100","year":{"$gte":2020},"path":{"$prefix":"2021/"}}`
package indirect enum Filter: Hashable, Sendable {
    /// Every one holds; without any, every image matches.
    case all([Filter])
    case any([Filter])
    case not(Filter)
    /// The field is there, whatever its value.
    case exists(FilterField)
    /// A value of the field lies in one of the intervals.
    case within(FilterField, [FilterInterval])

    /// Whether every image matches because nothing is asked for.
    package var isEmpty: Bool { self == .all([]) }

    /// Whether it takes the document to answer.
    package var isAboutDocuments: Bool {
        switch self {
        case .all(let parts), .any(let parts): parts.contains(where: \.isAboutDocuments)
        case .not(let part): part.isAboutDocuments
        case .exists(.document), .within(.document, _): true
        case .exists(.builtIn), .within(.builtIn, _): false
        }
    }
}

/// What a filter is asked about.
package protocol FilterSubject {
    func value(of field: BuiltInField) -> FilterValue
    /// The file's path with its root's before it: what comparisons of `path` with an absolute path are about.
    var absolutePath: FilterValue { get }
    /// The members of the image's document, from `DocumentField.fields(of:)`.
    var documentFields: [DocumentField] { get }
}

extension Filter {
    /// Whether a subject matches. The meaning of filters is what this says; indexes only hurry it.
    ///
    /// - Complexity: O(conditions * members of the document)
    package func matches(_ subject: some FilterSubject) -> Bool {
        switch self {
        case .all(let parts): parts.allSatisfy { $0.matches(subject) }
        case .any(let parts): parts.contains { $0.matches(subject) }
        case .not(let part): !part.matches(subject)
        case .exists(.builtIn): true
        case .exists(.document(let path)): subject.documentFields.contains { $0.path == path }
        case .within(.builtIn(.path), let intervals):
            intervals.contains {
                $0.contains($0.isOfAbsolutePaths ? subject.absolutePath : subject.value(of: .path))
            }
        case .within(.builtIn(let field), let intervals):
            intervals.contains { $0.contains(subject.value(of: field)) }
        case .within(.document(let path), let intervals):
            subject.documentFields.contains { member in
                guard member.path == path, let value = member.value else { return false }
                return intervals.contains { $0.contains(value) }
            }
        }
    }
}

/// A member of a document, or one value of it.
package struct DocumentField: Hashable, Sendable {
    /// As `FilterField.document` has it.
    package let path: [UInt8]
    /// nil: the member is there. Values have entries of their own, the elements of an array one each.
    package let value: FilterValue?

    package init(path: [UInt8], value: FilterValue?) {
        self.path = path
        self.value = value
    }

    /// The members of a document at any depth, and the document itself; none when it is no readable JSON object.
    ///
    /// Objects in an array have the path of the array, and arrays in arrays the outer one's. A name that stands twice
    /// has both values. Members that no filter can name are left out: a zero byte in the name, or too long a way to it.
    package static func fields(of document: [UInt8]) -> [DocumentField] {
        guard !document.isEmpty, let fields = try? read(document) else { return [] }
        return fields
    }

    private static func read(_ document: [UInt8]) throws(JSONFault) -> [DocumentField] {
        var tokens = try JSONTokens(document, maximumDepth: JSONDocument.maximumDepth)
        guard try tokens.next() == .beginObject else { return [] }
        var fields = [DocumentField(path: [], value: nil)]
        // Of each open container, the path of what is in it; nil below a name that cannot be a filter's.
        var open: [[UInt8]?] = [[]]
        var path: [UInt8]? = []
        while let token = try tokens.next() {
            let value: FilterValue
            switch token {
            case .beginObject, .beginArray:
                open.append(path)
                continue
            case .endObject, .endArray:
                open.removeLast()
                path = open.last ?? []
                continue
            case .name(let name):
                path = extended(open.last ?? nil, by: name)
                if let path { fields.append(DocumentField(path: path, value: nil)) }
                continue
            case .string(let bytes): value = FilterValue(string: bytes)
            case .number(let number): value = FilterValue(number)
            case .integer(let integer): value = FilterValue(integer: integer)
            case .bool(let bool): value = FilterValue(bool)
            case .null: value = .null
            }
            if let path { fields.append(DocumentField(path: path, value: value)) }
        }
        return fields
    }

    /// Bounded, so that a long name around many members costs no more than the document.
    private static func extended(_ path: [UInt8]?, by name: [UInt8]) -> [UInt8]? {
        guard let path, path.count + name.count <= FilterLimits.nameByteCount, !name.contains(0) else { return nil }
        return path + name + [0]
    }
}
