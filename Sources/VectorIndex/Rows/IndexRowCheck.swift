package import Storage

/// What is wrong with a row of an index's databases, looked at by itself and beside its neighbours. Works without an
/// index: rows come from wherever the caller reads them.
package struct IndexRowCheck {
    /// Components of every vector.
    private let dimension: Int
    private var lastOperation: UInt64?

    /// - Parameter dimension: components of every vector, 1...4096.
    package init(dimension: Int) { self.dimension = dimension }

    /// The databases that this knows, and how LMDB orders their keys.
    package static let databases: [String: DatabaseFlags] = [
        "meta": [], "vec": .integerKey, "code": .integerKey, "adj0": .integerKey, "adjU": .integerKey,
        "ops": .integerKey,
    ]

    /// A key as people read it.
    package static func name(_ database: String, _ key: [UInt8]) -> String {
        let bytes = key.span.bytes
        switch database {
        case "vec", "code", "adj0": return bytes.integer(at: 0, as: UInt32.self).map { "slot \($0)" } ?? "short key"
        case "adjU":
            guard let number = bytes.integer(at: 0, as: UInt64.self) else { return "short key" }
            return "slot \(UInt32(truncatingIfNeeded: number)) level \(number >> 32)"
        case "ops": return bytes.integer(at: 0, as: UInt64.self).map { "operation \($0)" } ?? "short key"
        default: return String(decoding: key, as: UTF8.self)
        }
    }

    /// - Parameters:
    ///   - database: one of `databases`.
    ///   - key: of the row.
    ///   - value: the row.
    /// - Returns: what is wrong; nil for a sound row.
    package mutating func problem(_ database: String, key: [UInt8], value: [UInt8]) -> String? {
        switch database {
        case "meta": metaProblem(String(decoding: key, as: UTF8.self), value.span.bytes)
        case "vec": vectorProblem(key.span.bytes, value.span.bytes)
        case "code": codeProblem(key.span.bytes, value.span.bytes)
        case "adj0": linkProblem(key, value.span.bytes, isUpper: false)
        case "adjU": linkProblem(key, value.span.bytes, isUpper: true)
        case "ops": operationProblem(key.span.bytes, value.span.bytes)
        default: nil
        }
    }

    private func metaProblem(_ key: String, _ row: RawSpan) -> String? {
        do throws(IndexError) {
            switch key {
            case ConfigurationRow.key:
                let stored = try ConfigurationRow(row)
                if stored.dimension != dimension {
                    return "\(stored.dimension) components where there are \(dimension)"
                }
                let expected = ConfigurationRow(dimension: dimension).bytes(IndexParameters())
                guard stored.version < ConfigurationRow.version || row.copied == expected else {
                    return "unknown parameters"
                }
            case StateRow.key: _ = try StateRow(row)
            case QuantizerRow.key:
                guard QuantizerRow.quantizer(row, dimension: dimension) != nil else { return "unreadable" }
            default: return "unknown key"
            }
            return nil
        } catch { return "\(error)" }
    }

    private func vectorProblem(_ key: RawSpan, _ row: RawSpan) -> String? {
        guard let number = key.integer(at: 0, as: UInt32.self), number < GraphStore.slotLimit else { return "no slot" }
        guard VectorRow.hasLength(row, dimension: dimension) else { return "\(row.byteCount) bytes" }
        guard VectorRow.isIntact(row, dimension: dimension) else { return "checksum" }
        guard row.integer(at: 4, as: UInt32.self) == UInt32(Slot(rawValue: number).level) else {
            return "level and flags of another slot"
        }
        guard let halves = row.copy(VectorRow.headerByteCount..<row.byteCount).map({ HalfVector(bytes: $0) }),
            halves.hash == VectorRow.hash(row)
        else { return "hash of other components" }
        return nil
    }

    /// Codes of an earlier quantizer are encoded again when the index is opened.
    private func codeProblem(_ key: RawSpan, _ row: RawSpan) -> String? {
        guard let number = key.integer(at: 0, as: UInt32.self), number < GraphStore.slotLimit else { return "no slot" }
        return CodeRow.isIntact(row, Slot(rawValue: number)) ? nil : "checksum"
    }

    /// Whether a code's row was made from the vector of a `vec` row.
    package static func belongs(code: [UInt8], to vector: [UInt8]) -> Bool {
        code.span.bytes.integer(at: 8, as: UInt64.self) == VectorRow.hash(vector.span.bytes)
    }

    private func linkProblem(_ key: [UInt8], _ row: RawSpan, isUpper: Bool) -> String? {
        let bytes = key.span.bytes
        let number =
            isUpper ? bytes.integer(at: 0, as: UInt64.self) : bytes.integer(at: 0, as: UInt32.self).map(UInt64.init)
        guard let number else { return "no slot" }
        let slot = Slot(rawValue: UInt32(truncatingIfNeeded: number))
        let level = Int(number >> 32)
        guard slot.rawValue < GraphStore.slotLimit, isUpper ? level >= 1 && level <= slot.level : level == 0 else {
            return "the slot has no such level"
        }
        guard let links = LinkRow.links(row, level: level) else { return "malformed" }
        guard LinkRow.isIntact(row, slot, level: level) else { return "checksum" }
        for link in links
        where link >= GraphStore.slotLimit || link == slot.rawValue || Slot(rawValue: link).level < level {
            return "a link to slot \(link)"
        }
        return nil
    }

    private mutating func operationProblem(_ key: RawSpan, _ row: RawSpan) -> String? {
        guard let sequence = key.integer(at: 0, as: UInt64.self) else { return "no number" }
        defer { lastOperation = sequence }
        guard OperationRow(row) != nil else { return "malformed" }
        if let lastOperation, sequence != lastOperation + 1 { return "it follows operation \(lastOperation)" }
        return nil
    }
}
