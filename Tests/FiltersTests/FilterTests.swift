import Filters
import Foundation
import Testing

/// What filters mean, and what is none.
struct FilterTests {
    private struct Subject: FilterSubject {
        var builtIns: [BuiltInField: FilterValue] = [:]
        var documentFields: [DocumentField] = []

        var absolutePath: FilterValue { FilterValue(string: Array("/photos/2021/05/a.jpg".utf8)) }

        init(_ document: String) { documentFields = DocumentField.fields(of: Array(document.utf8)) }

        func value(of field: BuiltInField) -> FilterValue {
            switch field {
            case .width: FilterValue(640)
            case .modified: FilterValue(string: Timestamp.bytes(1_620_043_200_000_000_000))
            case .path: FilterValue(string: Array("2021/05/a.jpg".utf8))
            default: FilterValue(string: [])
            }
        }
    }

    private func matches(_ filter: String, _ document: String) throws -> Bool {
        try Filter(text: Array(filter.utf8)).matches(Subject(document))
    }

    @Test(arguments: [
        (#"{}"#, #"{}"#, true),
        (#"{"a":1}"#, #"{"a":1.0}"#, true), (#"{"a":-0}"#, #"{"a":0.0}"#, true), (#"{"a":"1"}"#, #"{"a":1}"#, false),
        (#"{"a":null}"#, #"{"a":null}"#, true), (#"{"a":null}"#, #"{}"#, false), (#"{"a":true}"#, #"{"a":1}"#, false),
        (#"{"a":"é"}"#, #"{"a":"e\u0301"}"#, false), (#"{"a":"\u00e9"}"#, #"{"a":"é"}"#, true),
        (#"{"a.b":1}"#, #"{"a":{"b":1}}"#, true), (#"{"a.b":1}"#, #"{"a.b":1}"#, false),
        (#"{"a\\.b":1}"#, #"{"a.b":1}"#, true), (#"{"a\\\\":1}"#, #"{"a\\":1}"#, true),
        (#"{"document.width":1}"#, #"{"width":1}"#, true), (#"{"width":640}"#, #"{"width":1}"#, true),
        (#"{"document":{"$exists":true}}"#, #"{}"#, true), (#"{"document":{"$exists":true}}"#, #""#, false),
        (#"{"document.document":1}"#, #"{"document":1}"#, true), (#"{"document.$x":1}"#, #"{"$x":1}"#, true),
        (#"{"tags":"b"}"#, #"{"tags":["a","b"]}"#, true), (#"{"tags":"b"}"#, #"{"tags":["a",["b"]]}"#, true),
        (#"{"f.n":2}"#, #"{"f":[{"n":1},{"n":2}]}"#, true), (#"{"f.0":1}"#, #"{"f":[1]}"#, false),
        (#"{"r":{"$gt":2,"$lt":4}}"#, #"{"r":[1,5]}"#, false), (#"{"r":{"$gt":2,"$lt":4}}"#, #"{"r":[1,3]}"#, true),
        (#"{"$and":[{"r":{"$gt":2}},{"r":{"$lt":4}}]}"#, #"{"r":[1,5]}"#, true),
        (#"{"r":{"$in":[1,"x",null],"$gte":1}}"#, #"{"r":1}"#, true),
        (#"{"r":{"$in":[1],"$gt":1}}"#, #"{"r":1}"#, false),
        (#"{"r":{"$gte":1,"$lt":"x"}}"#, #"{"r":[1,"a"]}"#, false),
        (#"{"a":{"$ne":1}}"#, #"{}"#, true), (#"{"a":{"$ne":1}}"#, #"{"a":[1,2]}"#, false),
        (#"{"a":{"$not":{"$gt":1}}}"#, #"{}"#, true), (#"{"a":{"$gt":1}}"#, #"{}"#, false),
        (#"{"$not":{"a":1,"b":2}}"#, #"{"a":1}"#, true), (#"{"$or":[{"a":1},{"b":2}]}"#, #"{"b":2}"#, true),
        (#"{"a":{"$exists":true}}"#, #"{"a":{}}"#, true), (#"{"a":{"$exists":true}}"#, #"{"a":[]}"#, true),
        (#"{"a":{"$exists":false}}"#, #"{"a":null}"#, false),
        (#"{"a.b":{"$exists":true}}"#, #"{"a":[{"b":null}]}"#, true),
        (#"{"a":{"$prefix":"ab"}}"#, #"{"a":"abc"}"#, true), (#"{"a":{"$prefix":"ab"}}"#, #"{"a":"Ab"}"#, false),
        (#"{"a":{"$prefix":""}}"#, #"{"a":""}"#, true), (#"{"a":{"$prefix":""}}"#, #"{"a":1}"#, false),
        (#"{"a":1,"a ":2}"#, #"{"a":1,"a ":2}"#, true), (#"{"a":2}"#, #"{"a":1,"a":2}"#, true),
        (#"{"modified":{"$prefix":"2021-05"}}"#, "", true),
        (#"{"modified":{"$gte":"2021-05-03T12:00:01Z"}}"#, "", false),
        (#"{"path":{"$prefix":"2021/"},"width":{"$gte":640,"$lte":640}}"#, "", true),
        (#"{"path":"/photos/2021/05/a.jpg"}"#, "", true), (#"{"path":"/2021/05/a.jpg"}"#, "", false),
        (#"{"path":{"$prefix":"/photos/"}}"#, "", true), (#"{"path":{"$prefix":"/photos/2022"}}"#, "", false),
        (#"{"path":{"$gte":"/photos/2021","$lt":"/photos/2022"}}"#, "", true), (#"{"path":{"$lt":"/p"}}"#, "", false),
        (#"{"path":{"$ne":"/photos/2021/05/a.jpg"}}"#, "", false),
        (#"{"path_bytes":"/photos/2021%2F05/%61.jpg"}"#, "", true), (#"{"path_bytes":"2021/05/a%2Ejpg"}"#, "", true),
        (#"{"path_bytes":{"$prefix":"%FF"}}"#, "", false), (#"{"path":"2021/05/a%2Ejpg"}"#, "", false),
        (#"{"document.path_bytes":"%"}"#, #"{"path_bytes":"%"}"#, true),
    ])
    func `a filter matches as it is written down`(filter: String, document: String, isExpected: Bool) throws {
        #expect(try matches(filter, document) == isExpected, "\(filter) on \(document)")
    }

    @Test(arguments: [
        ("", "", "it is not JSON: the text ends early at byte 0"),
        ("[]", "", #"a filter is an object such as {"camera":"X100"}"#),
        (#"{"a":1,"a":2}"#, "", "it is not JSON: `a` stands twice in one object at byte 11"),
        (#"{"a":1}x"#, "", "it is not JSON: there is more after the value at byte 7"),
        (#"{"a":1e999}"#, "", "it is not JSON: a number that is too large at byte 5"),
        (#"{"$or":[{},{"year":{"$gte":null}}]}"#, "$or[1].year.$gte", "it takes a number or a string"),
        (#"{"$or":[]}"#, "$or", "a list of filters, at least one"),
        (#"{"$not":[]}"#, "$not", #"a filter is an object such as {"camera":"X100"}"#),
        (#"{"a":[1]}"#, "a", "one value, no list; `$in` takes several"),
        (#"{"a":{"$eq":{}}}"#, "a.$eq", "one value, no object"),
        (#"{"a":{"$in":[]}}"#, "a.$in", "a list of values, at least one"),
        (#"{"a":{"$in":[1,[2]]}}"#, "a.$in[1]", "one value, no list; `$in` takes several"),
        (#"{"a":{"$exists":1}}"#, "a.$exists", "true or false"),
        (#"{"a":{"$prefix":1}}"#, "a.$prefix", "it takes a string"),
        (#"{"a":{"$not":1}}"#, "a.$not", #"comparisons such as {"$gte":2020}"#),
        (#"{"a..b":1}"#, "a..b", "a part of the field's name is empty"),
        (#"{"":1}"#, "", "a part of the field's name is empty"),
        (#"{"a\\x":1}"#, #"a\x"#, "a backslash in a field's name stands before a dot or a backslash"),
        (#"{"a\u0000":1}"#, "a\0", "a field's name holds a zero byte"),
        (#"{"$gte":1}"#, "$gte", #"it stands behind a field, such as {"year":{"$gte":...}}"#),
        (
            #"{"path.x":1}"#, "path.x",
            "`path` is a field of every image and has no parts; the document's is `document.path.x`"
        ),
        (#"{"path_bytes":"%F"}"#, "path_bytes", "a percent sign stands before two hexadecimal digits"),
        (#"{"modified":1}"#, "modified", "`modified` is text; the document's is `document.modified`"),
        (#"{"width":{"$in":[1,"2"]}}"#, "width.$in[1]", "`width` is a number; the document's is `document.width`"),
    ])
    func `what is wrong is named with its place`(text: String, place: String, reason: String) {
        #expect(throws: FilterError.self, "\(text)") { try Filter(text: Array(text.utf8)) }
        do { _ = try Filter(text: Array(text.utf8)) } catch {
            #expect(error.place == place)
            #expect(error.reason == reason)
        }
    }

    @Test func `unknown operators are answered with those that there are`() {
        for text in [#"{"a":{"$regex":"x"}}"#, #"{"a":{"b":1}}"#, #"{"a":{}}"#, #"{"$nor":[]}"#] {
            do {
                _ = try Filter(text: Array(text.utf8))
                Issue.record("\(text) was taken")
            } catch { #expect(error.reason.contains("`$eq`") || error.reason.contains("`$and`"), "\(error)") }
        }
    }

    @Test func `size, depth and number of comparisons end`() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: #"{"$or":["#, count: depth) + "{}" + String(repeating: "]}", count: depth)).utf8)
        }
        func list(_ count: Int) -> [UInt8] {
            Array(#"{"a":{"$in":[\#((0..<count).map(String.init).joined(separator: ","))]}}"#.utf8)
        }
        func name(_ count: Int) -> [UInt8] { Array("{\"\(String(repeating: "x", count: count))\":1}".utf8) }
        func value(_ count: Int) -> [UInt8] { Array("{\"a\":\"\(String(repeating: "x", count: count))\"}".utf8) }
        func blanks(_ count: Int) -> [UInt8] { Array("{}".utf8) + [UInt8](repeating: 0x20, count: count - 2) }
        for (make, limit) in [
            (nested, FilterLimits.depth), (list, FilterLimits.termCount), (name, FilterLimits.nameByteCount),
            (value, FilterLimits.valueByteCount), (blanks, FilterLimits.byteCount),
        ] {
            _ = try Filter(text: make(limit))
            #expect(throws: FilterError.self, "\(limit)") { try Filter(text: make(limit + 1)) }
        }
        #expect(throws: FilterError.self) { try Filter(text: nested(3000)) }
        #expect(throws: FilterError.self) { try Filter(text: [0x7B, 0x22, 0xFF, 0x22, 0x7D]) }
    }

    @Test func `a document's long names cost no more than the document`() {
        let name = String(repeating: "n", count: 300_000)
        let members = (0..<50_000).map { "\"m\($0)\":1" }.joined(separator: ",")
        let fields = DocumentField.fields(of: Array("{\"\(name)\":{\(members)},\"b\":2}".utf8))
        #expect(fields.count == 3)
    }

    /// Every pair of a rising list, one as a document's and one as a filter's.
    @Test func `whole numbers of 64 bits and doubles compare as the numbers that they are`() throws {
        let texts = [
            "-1e30", "-9223372036854775808", "-9223372036854775807", "-9007199254740993", "-9007199254740992", "-1",
            "0",
            "0.5", "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "9007199254740995",
            "1234567890123456788", "1234567890123456789", "9223372036854775807", "9223372036854775808",
            "1234567890123456789.5e1", "18446744073709551614", "18446744073709551615", "18446744073709551616", "1e30",
        ]
        for (place, text) in texts.enumerated() {
            let document = "{\"n\":[\(text)]}"
            for (other, bound) in texts.enumerated() {
                #expect(try matches("{\"n\":\(bound)}", document) == (place == other), "\(text) = \(bound)")
                #expect(try matches("{\"n\":{\"$in\":[\(bound),\"x\"]}}", document) == (place == other))
                #expect(try matches("{\"n\":{\"$lt\":\(bound)}}", document) == (place < other), "\(text) < \(bound)")
                #expect(try matches("{\"n\":{\"$gte\":\(bound)}}", document) == (place >= other), "\(text) >= \(bound)")
                #expect(try matches("{\"n\":{\"$gt\":\(bound)}}", document) == (place > other), "\(text) > \(bound)")
                #expect(try matches("{\"n\":{\"$lte\":\(bound)}}", document) == (place <= other), "\(text) <= \(bound)")
            }
        }
        #expect(try matches(#"{"n":1e18}"#, #"{"n":1000000000000000000}"#))
        #expect(try !matches(#"{"n":1e18}"#, #"{"n":1000000000000000001}"#))
    }

    @Test func `strings below a prefix are those of an interval without it`() {
        let prefix = Array("/a/".utf8)
        let texts = ["", "b", "/a", "/a/", "/a/b", "/a/bc", "/a0", "/b", "0"].map { Array($0.utf8) }
        for start in texts {
            for end in texts.map(Optional.some) + [nil] {
                let interval = FilterInterval(kind: .string, start: start, end: end)
                for rest in texts {
                    let isIn = interval.contains(FilterValue(string: prefix + rest))
                    let below = interval.without(prefix: prefix)
                    #expect(
                        below?.contains(FilterValue(string: rest)) ?? false == isIn,
                        "\(start) \(end ?? []) \(rest)"
                    )
                }
            }
        }
    }

    @Test func `numbers and strings are in the order of their bytes`() {
        let numbers: [Double] = [
            -.infinity, -1e300, -2, -1.5, -Double.leastNonzeroMagnitude, 0, .leastNonzeroMagnitude, 1, 1.5, 2, 1e300,
            .infinity,
        ]
        for (a, b) in zip(numbers, numbers.dropFirst()) { #expect(FilterValue(a) < FilterValue(b), "\(a) \(b)") }
        #expect(FilterValue(0) == FilterValue(-0.0))
        #expect(FilterValue(string: Array("a".utf8)) < FilterValue(string: Array("ab".utf8)))
        #expect(FilterInterval(prefix: [0x61, 0xFF]).end == [0x62])
        #expect(FilterInterval(prefix: []).end == nil)
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"), (951_782_400_000_000_000, "2000-02-29T00:00:00Z"),
        (1_620_043_200_999_999_999, "2021-05-03T12:00:00Z"), (.max, "2262-04-11T23:47:16Z"),
        (.min, "1677-09-21T00:12:43Z"), (-86_400_000_000_000, "1969-12-31T00:00:00Z"),
    ])
    func `moments are written in UTC`(nanoseconds: Int64, text: String) {
        #expect(Timestamp.text(nanoseconds) == text)
    }
}
