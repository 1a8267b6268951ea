import Filters
import Foundation
import TestSupport
import Testing

/// Random filters on random documents against a plain reading of the language, and hostile bytes.
///
/// The seed is in every failure's text; `LIKENESS_TESTS_SECONDS` makes the campaigns longer.
struct FilterFuzzTests {
    private struct Subject: FilterSubject {
        let builtIns: [String: JSONValue]
        let documentFields: [DocumentField]

        var absolutePath: FilterValue {
            guard case .string(let path)? = builtIns["path"] else { return FilterValue(string: []) }
            return FilterValue(string: Array("/photos/\(path)".utf8))
        }

        func value(of field: BuiltInField) -> FilterValue {
            switch builtIns[field.rawValue] {
            case .number(let number): FilterValue(number)
            case .integer(let integer): FilterValue(integer: integer)
            case .string(let text): FilterValue(string: Array(text.utf8))
            default: FilterValue(string: [])
            }
        }
    }

    private static let builtIns: [String: [JSONValue]] = [
        "width": [.number(64), .number(640), .number(2020)],
        "path": [.string("a.jpg"), .string("2021/a.jpg"), .string("2021/b/c.jpg")],
        "modified": [.string("2021-05-03T12:00:00Z"), .string("2022-01-01T00:00:00Z")],
    ]

    private func text(_ value: JSONValue) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return [UInt8](try encoder.encode(value))
    }

    @Test func `filters mean what a plain reading says`() throws {
        let deadline = Date(timeIntervalSinceNow: TestEnvironment.seconds(1))
        var seed: UInt64 = 1
        repeat {
            var draws = FilterDraws(seed: seed)
            let documents = (0..<8).map { _ in draws.document() }
            let filters = (0..<16).map { _ in draws.filter(builtIns: Self.builtIns) }
            for document in documents {
                let own = Self.builtIns.mapValues { $0.randomElement(using: &draws.random) ?? .null }
                let fields = DocumentField.fields(of: try text(document))
                let plain = PlainFilter(document: document, builtIns: own)
                for filter in filters {
                    let parsed = try Filter(text: text(filter))
                    #expect(
                        parsed.matches(Subject(builtIns: own, documentFields: fields)) == plain.matches(filter),
                        "seed \(seed): \(filter) on \(document)"
                    )
                }
            }
            seed += 1
        } while Date() < deadline
    }

    /// What the own reader takes, Foundation takes too, with the same values.
    @Test func `changed bytes are refused or mean the same to Foundation`() throws {
        let deadline = Date(timeIntervalSinceNow: TestEnvironment.seconds(1))
        var seed: UInt64 = 1
        repeat {
            var draws = FilterDraws(seed: seed)
            var bytes = try text(
                Bool.random(using: &draws.random) ? draws.document() : draws.filter(builtIns: Self.builtIns)
            )
            for _ in 0..<Int.random(in: 0...3, using: &draws.random) where !bytes.isEmpty {
                let at = Int.random(in: 0..<bytes.count, using: &draws.random)
                switch Int.random(in: 0..<3, using: &draws.random) {
                case 0: bytes.remove(at: at)
                case 1: bytes[at] = UInt8.random(in: 0...255, using: &draws.random)
                default: bytes.insert(Array("{}[]\",:\\u0e.-".utf8).randomElement(using: &draws.random) ?? 0, at: at)
                }
            }
            _ = try? Filter(text: bytes)
            let isTaken = !DocumentField.fields(of: bytes).isEmpty
            // Foundation gives a fraction beyond 2^53 more digits than a double has.
            if isTaken, !bytes.contains(UInt8(ascii: ".")) {
                let value = try? JSONDecoder().decode(JSONValue.self, from: Data(bytes))
                let own = try? JSONValue(bytes, maximumDepth: 32, duplicates: .firstCounts)
                #expect(value != nil && own == value, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
            }
            seed += 1
        } while Date() < deadline
    }

    @Test(arguments: [
        "{", "[", "\"", "{\"a\"", "{\"a\":", "{\"a\":1,}", "[1,]", "{,}", "{a:1}", "01", "1.", ".5", "-", "+1", "1e",
        "tru", "nul", "5e-3024", "1e999",
        "{\"a\":1 \"b\":2}", "[1 2]", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"",
        "\"\u{1}\"", "]", "}",
        "{\"a\":]}", "[}", "{\"a\":1]", "1 1", "NaN", "Infinity", "'a'", "",
    ])
    func `text that is no JSON is refused`(text: String) {
        #expect(throws: JSONFault.self, "\(text)") {
            var tokens = try JSONTokens(Array(text.utf8), maximumDepth: 8)
            while try tokens.next() != nil {}
        }
    }

    @Test func `tokens come in order`() throws {
        let text = "\u{FEFF} {\"a\\n\":[1,-2.5e1,12345678901234567890,\"\\ud83d\\ude00\",null],\"b\":{},\"c\":true} "
        var tokens = try JSONTokens(Array(text.utf8), maximumDepth: 2)
        var found: [JSONToken] = []
        while let token = try tokens.next() { found.append(token) }
        let expected: [JSONToken] = [
            .beginObject, .name(Array("a\n".utf8)), .beginArray, .number(1), .number(-25),
            .integer(12_345_678_901_234_567_890),
            .string(Array("😀".utf8)), .null, .endArray, .name(Array("b".utf8)), .beginObject, .endObject,
            .name(Array("c".utf8)), .bool(true), .endObject,
        ]
        #expect(found == expected)
        #expect(throws: JSONFault.self) {
            var deep = try JSONTokens(Array("[[[]]]".utf8), maximumDepth: 2)
            while try deep.next() != nil {}
        }
    }
}
