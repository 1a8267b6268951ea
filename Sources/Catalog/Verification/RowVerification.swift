internal import Platform
internal import Storage
internal import VectorIndex

/// The records of one state, for looking up what another record names.
struct VerificationView {
    let trees: [String: PageTree]

    /// The value of a key; nil where there is none, or where it cannot be read, which is a finding of its own.
    func value(_ key: [UInt8], in database: String) -> [UInt8]? { (try? trees[database]?.values(of: key))?.first }

    /// The values of a key, at most `limit`.
    func values(_ key: [UInt8], in database: String, limit: Int) -> [[UInt8]] {
        (try? trees[database]?.values(of: key, limit: limit)) ?? []
    }

    func image(_ id: ImageID) -> ImageRow? {
        value(ImageRow.key(id), in: "img").flatMap { try? ImageRow($0, id: id) }
    }

    func file(_ storedKey: [UInt8]) -> FileRow? {
        value(storedKey, in: "file").flatMap { try? FileRow($0, storedKey: storedKey) }
    }

    func content(_ content: SHA256Digest) -> ContentRow? {
        value(content.bytes, in: "content").flatMap { try? ContentRow($0, content: content) }
    }
}

/// What is wrong with a record of a collection, by itself and beside those that belong to it.
struct RowVerification {
    private static let duplicates: DatabaseFlags = [.integerKey, .duplicates, .fixedDuplicates, .integerDuplicates]

    /// All databases and the order of their keys, in the order in which they are read.
    static let databases: [(name: String, flags: DatabaseFlags)] =
        [
            ("catalog", []), ("root", .integerKey), ("img", .integerKey), ("file", []), ("failed", []), ("content", []),
            ("dup", duplicates), ("event", .integerKey), ("raw", .integerKey), ("field", []), ("consumer", []),
        ] + IndexRowCheck.databases.sorted { $0.key < $1.key }.map { (name: $0.key, flags: $0.value) }

    /// Databases that came after the first stores, which may be without them.
    static let laterDatabases: Set<String> = ["code", "consumer", "field", "raw"]

    /// Images of one vector that are looked at.
    private static let groupLimit = 256

    private var index: IndexRowCheck
    private let dimension: Int?
    private let isWhitened: Bool

    /// - Parameter view: any state of the collection; dimension and whitening never change.
    init(_ view: VerificationView) {
        let dimension = CatalogConfiguration.storedDimension(view.value(Array("cfg".utf8), in: "catalog"))
        self.dimension = dimension
        index = IndexRowCheck(dimension: dimension ?? 0)
        isWhitened = view.value(Array("whitening".utf8), in: "catalog") != nil
    }

    /// A key as people read it.
    static func name(_ database: String, _ key: [UInt8]) -> String {
        if IndexRowCheck.databases[database] != nil { return IndexRowCheck.name(database, key) }
        let bytes = key.withStorageBytes { ($0.integer(at: 0, as: UInt32.self), $0.integer(at: 0, as: UInt64.self)) }
        switch database {
        case "img": return bytes.1.map { "image \($0)" } ?? "short key"
        case "event": return bytes.1.map { "event \($0)" } ?? "short key"
        case "root": return bytes.0.map { "root \($0)" } ?? "short key"
        case "dup", "raw": return bytes.0.map { "slot \($0)" } ?? "short key"
        case "content": return SHA256Digest(bytes: key)?.description ?? "short key"
        case "field": return FieldKey.name(key)
        case "file", "failed":
            guard let root = FileKey.root(ofStoredKey: key) else { return "short key" }
            return "root \(root.rawValue), \(String(decoding: key.dropFirst(4), as: UTF8.self))"
        default: return String(decoding: key, as: UTF8.self)
        }
    }

    /// - Returns: what is wrong; nil for a sound record.
    mutating func problem(_ database: String, _ key: [UInt8], _ value: [UInt8], _ view: VerificationView) -> String? {
        if IndexRowCheck.databases[database] != nil {
            guard dimension != nil || database != "vec" else { return nil }
            if let problem = index.problem(database, key: key, value: value) { return problem }
            if database == "code" {
                guard let vector = view.value(key, in: "vec") else { return "no vector" }
                return IndexRowCheck.belongs(code: value, to: vector) ? nil : "the code of another vector"
            }
            return database == "vec" && view.value(key, in: "dup") == nil ? "no image has it" : nil
        }
        do throws(CatalogFailure) {
            switch database {
            case "img": return try image(key, value, view)
            case "file": return try file(key, value, view)
            case "failed": return value.isEmpty && view.file(key)?.isFailed == true ? nil : "no failed file"
            case "content": return try content(key, value, view)
            case "root":
                guard let id = Self.number(key, UInt32.self) else { return "short key" }
                _ = try RootRow(value, id: RootID(rawValue: id))
            case "dup": return pair(key, value, view)
            case "event":
                guard let sequence = Self.number(key, UInt64.self) else { return "short key" }
                let event = try EventRow.decoded(value, sequence)
                guard sequence > 0, event.image.rawValue > 0 else { return "number 0" }
            case "consumer": _ = try ConsumerRow(value, key: key)
            case "field":
                // What they list follows from the images, and is made anew when it is found to be damaged.
                let outcome = value.withStorageBytes { value in
                    key.withStorageBytes { key -> Result<Void, CatalogFailure> in
                        var words = [UInt64](repeating: 0, count: PositionSet.wordCount)
                        do throws(CatalogFailure) {
                            return .success(try FieldContainer.add(value, key: key, to: &words, at: 0))
                        } catch { return .failure(error) }
                    }
                }
                try outcome.get()
            case "raw":
                guard let dimension else { return nil }
                var reader = try RecordReader(value, key: key, name: database)
                _ = try reader.take(2 * dimension)
                try reader.finish()
                return view.value(key, in: "vec") == nil ? "no vector" : nil
            default:
                _ = try RecordReader(value, key: key, name: database)
            }
            return nil
        } catch { return Self.detail(error) }
    }

    private func image(_ key: [UInt8], _ value: [UInt8], _ view: VerificationView) throws(CatalogFailure) -> String? {
        guard let number = Self.number(key, UInt64.self) else { return "short key" }
        let id = ImageID(rawValue: number)
        let row = try ImageRow(value, id: id)
        let slot = row.slot.rawValue.littleEndianBytes
        guard let file = view.file(row.image.key.storedKey), file.image == id else {
            return "\(FileRow.name(row.image.key)) is not its file"
        }
        guard file.content == row.image.content else { return "its file has other content" }
        guard view.content(row.image.content)?.slot == row.slot else { return "its content has another vector" }
        guard view.value(slot, in: "vec") != nil else { return "its vector \(row.slot.rawValue) is missing" }
        guard !isWhitened || view.value(slot, in: "raw") != nil else { return "its vector before whitening is missing" }
        // Of a large group a part is looked at; that there are as many pairs as images is compared for all of them.
        let group = view.values(slot, in: "dup", limit: Self.groupLimit)
        guard group.contains(key) || group.count == Self.groupLimit else {
            return "vector \(row.slot.rawValue) does not name it"
        }
        return nil
    }

    private func file(_ key: [UInt8], _ value: [UInt8], _ view: VerificationView) throws(CatalogFailure) -> String? {
        let row = try FileRow(value, storedKey: key)
        if let id = row.image, view.image(id)?.image.key != row.key { return "image \(id) is not its image" }
        if row.isFailed, view.value(key, in: "failed") == nil { return "it is not in the list of failures" }
        let root = row.key.root.rawValue.littleEndianBytes
        return view.value(root, in: "root") == nil ? "there is no root \(row.key.root.rawValue)" : nil
    }

    private func content(_ key: [UInt8], _ value: [UInt8], _ view: VerificationView) throws(CatalogFailure) -> String? {
        guard let digest = SHA256Digest(bytes: key) else { return "short key" }
        let row = try ContentRow(value, content: digest)
        let ids = view.values(row.slot.rawValue.littleEndianBytes, in: "dup", limit: Self.groupLimit)
        guard ids.count < Self.groupLimit else { return nil }
        let images = ids.compactMap { Self.number($0, UInt64.self) }.map { ImageID(rawValue: $0) }
        let count = images.count { view.image($0)?.image.content == digest }
        return count == row.imageCount ? nil : "it counts \(row.imageCount) images of \(count)"
    }

    private func pair(_ key: [UInt8], _ value: [UInt8], _ view: VerificationView) -> String? {
        guard let slot = Self.number(key, UInt32.self), let number = Self.number(value, UInt64.self) else {
            return "short"
        }
        guard let row = view.image(ImageID(rawValue: number)) else { return "image \(number) cannot be read" }
        return row.slot.rawValue == slot ? nil : "image \(number) has vector \(row.slot.rawValue)"
    }

    private static func number<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: [UInt8], _: T.Type) -> T? {
        guard bytes.count == MemoryLayout<T>.size else { return nil }
        return bytes.withStorageBytes { $0.integer(at: 0, as: T.self) }
    }

    private static func detail(_ failure: CatalogFailure) -> String {
        if case .corrupted(_, let detail) = failure.error { return detail }
        return "\(failure.error)"
    }
}
