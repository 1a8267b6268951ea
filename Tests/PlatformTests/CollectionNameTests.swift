import Platform
import Testing

struct CollectionNameTests {
    @Test(arguments: ["default", "a", "0", "2024-holiday_b", String(repeating: "z", count: 63)])
    func `a name is taken as it is`(text: String) { #expect(CollectionName(text)?.description == text) }

    @Test(arguments: [
        "", "-a", "_a", ".a", "..", "a.b", "A", "a b", "a/b", "é", "a\u{0}", "a\n", "٣",
        String(repeating: "z", count: 64),
    ])
    func `anything else is no name`(text: String) { #expect(CollectionName(text) == nil) }
}
