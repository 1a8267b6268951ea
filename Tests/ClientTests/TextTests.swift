import Foundation
import Testing

@testable import Client

struct TextTests {
    @Test("Control characters and marks that reorder text are shown, not sent")
    func visible() {
        #expect(Text.visible("a\u{1B}[31m\n\t\u{7F}\u{202E}b") == "a\\u{1b}[31m\\n\\t\\u{7f}\\u{202e}b")
        #expect(Text.visible("Grüße 日本.jpg") == "Grüße 日本.jpg")
    }

    @Test("Counts, sizes and times read well")
    func amounts() {
        #expect(Text.count(0) == "0")
        #expect(Text.count(999) == "999")
        #expect(Text.count(1_002_003) == "1,002,003")
        #expect(Text.count(-12_345) == "-12,345")
        #expect(Text.count(1, "image") == "1 image")
        #expect(Text.count(2, "image") == "2 images")
        #expect(Text.bytes(999) == "999 B")
        #expect(Text.bytes(1_234) == "1.2 kB")
        #expect(Text.bytes(999_900) == "1.0 MB")
        #expect(Text.bytes(.max) == "18446744.1 TB")
        #expect(Text.duration(59.4) == "59 s")
        #expect(Text.duration(200) == "3 min 20 s")
        #expect(Text.duration(7500) == "2 h 5 min")
        #expect(Text.duration(.infinity) == "very long")
        #expect(Text.number(.nan, digits: 2) == "?")
    }

    @Test("Errors of Foundation are a line with the file and the reason")
    func foundation() {
        let missing = #expect(throws: (any Error).self) { try Data(contentsOf: URL(filePath: "/nowhere/x")) }
        #expect(missing.map { ClientError($0).detail } == "/nowhere/x: No such file or directory")
        let folder = #expect(throws: (any Error).self) {
            try FileManager.default.contentsOfDirectory(atPath: "/nowhere")
        }
        #expect(folder.map { ClientError($0).detail } == "/nowhere: No such file or directory")
        struct Inner: Decodable { var b: Int }
        for (text, reason) in [
            (#"{"a":[{"b":"x"}]}"#, "a value is not of the type Int, at a.[0].b"),
            (#"{"a":[{}]}"#, "`b` is missing, at a.[0]"),
        ] {
            let error = #expect(throws: DecodingError.self) {
                try JSONDecoder().decode([String: [Inner]].self, from: Data(text.utf8))
            }
            #expect(error?.reason == reason)
        }
    }

    @Test("Columns are aligned, the last one left alone")
    func table() {
        #expect(Text.table([["a", "bb", "c"], ["aaa", "b", "ccc"]], right: [1]) == ["a    bb  c", "aaa   b  ccc"])
        #expect(Text.table([]) == [])
    }
}
