import Filters
import Foundation
import Testing

/// Which bytes are a document, and what is wrong with others.
struct JSONDocumentTests {
    private func fault(_ bytes: [UInt8]) -> String? {
        do throws(JSONFault) {
            try JSONDocument.check(bytes)
            return nil
        } catch { return error.description(in: bytes) }
    }

    private static let deepest = String(repeating: "{\"a\":", count: 31) + "{}" + String(repeating: "}", count: 31)

    @Test(arguments: [
        "{}", "\u{FEFF}{\"a\":1}", " {\"a\":[1,{\"b\":null}],\"b\":{\"a\":\"\\u0000\"}}\n",
        "{\"n\":18446744073709551615}",
        "{\"n\":123456789012345678901234567890}", "{\"\":{}}", deepest,
    ])
    func `what is accepted is shown and found`(text: String) throws {
        #expect(fault(Array(text.utf8)) == nil)
        let value = try #require(JSONDocument.value(of: Array(text.utf8)))
        #expect(!DocumentField.fields(of: Array(text.utf8)).isEmpty)
        // And what is shown is the same document again.
        let shown = [UInt8](try JSONEncoder().encode(value))
        #expect(JSONDocument.value(of: shown) == value)
        #expect(Set(DocumentField.fields(of: shown)) == Set(DocumentField.fields(of: Array(text.utf8))))
    }

    @Test(arguments: [
        ("{\"a\":1,}", "a name in quotes is missing at line 1, column 8 (byte 7)"),
        ("{\n  \"é\": 1\n  \"b\": 2\n}", "a comma or the end of the object is missing at line 3, column 3 (byte 14)"),
        ("{\n\"aé\":tru}", "no JSON value at line 2, column 6 (byte 8)"),
        ("[1,2,]", "a document is an object"), ("[]", "a document is an object"), ("1", "a document is an object"),
        ("", "the text ends early at line 1, column 1 (byte 0)"), ("{\"a\":1} x", "there is more after the value"),
        ("{\"a\":{\"b\":1,\"b\":2}}", "`b` stands twice in one object at line 1, column 17"),
        ("{\"n\":1e400}", "a number that is too large"), ("{'a':1}", "a name in quotes is missing"),
        ("{\"a\":1/*x*/}", "a comma or the end of the object is missing"), ("{\"a\":NaN}", "no JSON value"),
        ("{\"a\":\(deepest)}", "more than 32 levels of nesting"),
    ])
    func `what is refused is told with its place`(text: String, reason: String) {
        let told = fault(Array(text.utf8))
        #expect(told?.hasPrefix(reason) == true, "\(told ?? "accepted")")
    }

    @Test func `other encodings are called by their names`() {
        let text = "{\"a\":\"é\"}"
        for (encoding, name) in [
            (String.Encoding.utf16, "UTF-16"), (.utf16LittleEndian, "UTF-16"), (.utf16BigEndian, "UTF-16"),
            (.utf32, "UTF-32"), (.utf32LittleEndian, "UTF-32"), (.utf32BigEndian, "UTF-32"),
        ] {
            let bytes = [UInt8](text.data(using: encoding) ?? Data())
            #expect(fault(bytes)?.hasPrefix("the text is \(name) and has to be UTF-8") == true, "\(encoding)")
        }
        let latin = [UInt8](text.data(using: .isoLatin1) ?? Data())
        #expect(fault(latin) == "the text is not UTF-8 at line 1, column 7 (byte 6)")
    }

    @Test(arguments: [
        "9007199254740993", "-9007199254740993", "1234567890123456789", "9223372036854775807", "-9223372036854775808",
        "9223372036854775808", "18446744073709551615", "9007199254740992", "1",
    ])
    func `whole numbers of 64 bits are shown as they were written`(number: String) throws {
        let text = "{\"id\":\(number)}"
        let value = try #require(JSONDocument.value(of: Array(text.utf8)))
        #expect(String(decoding: try JSONEncoder().encode(value), as: UTF8.self) == text)
        // As bodies of requests and replies are read.
        #expect(try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) == value)
    }

    @Test func `names of any bytes survive percent-encoding`() {
        let every = Array(UInt8.min...UInt8.max)
        #expect([UInt8](percentEncoded: every.percentEncoded) == every)
        #expect(Array("/a b%/\u{E9}".utf8).percentEncoded == "/a%20b%25/%C3%A9")
        #expect([UInt8](percentEncoded: "%ff%FE/x") == [0xFF, 0xFE, 0x2F, 0x78])
        for text in ["%", "%F", "%G0", "a%0"] { #expect([UInt8](percentEncoded: text) == nil) }
        #expect(Array("é".utf8).percentEncodedUnlessText == nil)
        #expect([0x61, 0xFF].percentEncodedUnlessText == "a%FF")
    }
}
