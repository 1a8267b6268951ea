package import Filters
package import Harness

/// Random documents, and filters that often match some of them.
package struct FilterDraws {
    package var random: SeededRandom

    package init(seed: UInt64) { random = SeededRandom(seed: seed) }

    private static let names = ["a", "b", "c", "width", "tags", "é"]
    private static let paths = [
        "a", "b", "c", "a.b", "b.c", "a.b.c", "tags", "document.width", "document.a", "é", "missing",
    ]
    private static let long = String(repeating: "long ", count: 60)
    private static let strings = [
        "", "a", "ab", "abc", "abcd", "abcde", "abd", "b", "\u{0}", "é", "e\u{301}", "\u{10FFFF}", long + "x",
        long + "y",
    ]
    private static let numbers: [Double] = [
        0, -0.0, 1, -1, 1.5, 2, 2.0000001, 63, 64, 65, 2020, 2021, -2020, 1e300, -1e300, .leastNonzeroMagnitude,
        9_007_199_254_740_992, 18_446_744_073_709_551_616, -18_446_744_073_709_551_616,
    ]
    /// Neighbours that are one double.
    private static let integers: [Int128] = [
        9_007_199_254_740_993, 9_007_199_254_740_995, -9_007_199_254_740_993, 1_234_567_890_123_456_788,
        1_234_567_890_123_456_789, 9_223_372_036_854_775_807, -9_223_372_036_854_775_808, 18_446_744_073_709_551_614,
        18_446_744_073_709_551_615,
    ]

    private mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &random)] }
    private mutating func chance(_ one: Int) -> Bool { Int.random(in: 0..<one, using: &random) == 0 }

    package mutating func document() -> JSONValue { object(depth: 0) }

    private mutating func object(depth: Int) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for _ in 0..<Int.random(in: 0...4, using: &random) { members[pick(Self.names)] = value(depth: depth + 1) }
        return .object(members)
    }

    private mutating func value(depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth < 3 ? 10 : 6), using: &random) {
        case 6: return object(depth: depth)
        case 7, 8: return .array((0..<Int.random(in: 0...3, using: &random)).map { _ in value(depth: depth + 1) })
        default: return scalar()
        }
    }

    private mutating func scalar() -> JSONValue {
        switch Int.random(in: 0..<9, using: &random) {
        case 0: .null
        case 1: .bool(chance(2))
        case 2, 3, 4: number()
        default: .string(pick(Self.strings))
        }
    }

    private mutating func bound() -> JSONValue {
        chance(2) ? number() : .string(pick(Self.strings))
    }

    private mutating func number() -> JSONValue {
        chance(3) ? .integer(pick(Self.integers)) : .number(pick(Self.numbers))
    }

    /// One filter; `builtIns` are values that images have, by the field's name.
    package mutating func filter(builtIns: [String: [JSONValue]], depth: Int = 0) -> JSONValue {
        var members: [String: JSONValue] = [:]
        for _ in 0..<(chance(12) ? 0 : Int.random(in: 1...2, using: &random)) {
            switch Int.random(in: 0..<(depth < 3 ? 10 : 7), using: &random) {
            case 7: members["$and"] = filters(builtIns, depth)
            case 8: members["$or"] = filters(builtIns, depth)
            case 9: members["$not"] = filter(builtIns: builtIns, depth: depth + 1)
            case 0, 1:
                guard let name = builtIns.keys.sorted().randomElement(using: &random) else { continue }
                members[name] = builtInCondition(builtIns[name] ?? [])
            default: members[pick(Self.paths)] = condition(depth: depth)
            }
        }
        return .object(members)
    }

    private mutating func filters(_ builtIns: [String: [JSONValue]], _ depth: Int) -> JSONValue {
        .array((0..<Int.random(in: 1...3, using: &random)).map { _ in filter(builtIns: builtIns, depth: depth + 1) })
    }

    private mutating func condition(depth: Int) -> JSONValue {
        if chance(3) { return scalar() }
        var operators: [String: JSONValue] = [:]
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            switch Int.random(in: 0..<10, using: &random) {
            case 0: operators["$eq"] = scalar()
            case 1: operators["$ne"] = scalar()
            case 2: operators["$in"] = .array((0..<Int.random(in: 1...3, using: &random)).map { _ in scalar() })
            case 3: operators["$prefix"] = .string(pick(Self.strings))
            case 4: operators["$exists"] = .bool(chance(2))
            case 5 where depth < 3: operators["$not"] = condition(depth: depth + 1).asOperators
            default: operators[pick(["$gt", "$gte", "$lt", "$lte"])] = bound()
            }
        }
        return .object(operators)
    }

    private mutating func builtInCondition(_ values: [JSONValue]) -> JSONValue {
        let value = pick(values)
        if case .string(let text) = value, chance(2) {
            let prefix = String(
                decoding: text.utf8.prefix(Int.random(in: 0...text.utf8.count, using: &random)),
                as: UTF8.self
            )
            return .object([pick(["$prefix", "$gte", "$lt"]): .string(prefix)])
        }
        return .object([pick(["$eq", "$ne", "$gt", "$gte", "$lt", "$lte"]): value])
    }
}

extension JSONValue {
    fileprivate var asOperators: JSONValue {
        if case .object = self { self } else { .object(["$eq": self]) }
    }
}
