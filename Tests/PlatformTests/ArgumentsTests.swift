import Testing

@testable import Platform

struct ArgumentsTests {
    private let options = [
        OptionDescription("limit", .integer(1...10), ""),
        OptionDescription("score", .real(-1...1), ""),
        OptionDescription("head", .choice(["max", "mean"]), ""),
        OptionDescription("exact", .flag, ""),
        OptionDescription("counts", .integers(1...9), ""),
        OptionDescription("shares", .reals(0...1), ""),
        OptionDescription("kinds", .choices(["a", "b"]), ""),
    ]

    @Test("Options stand anywhere, with = or a blank; after -- there are none")
    func forms() throws {
        let parsed = try Arguments(
            parsing: ["a", "--limit=5", "--exact", "-", "--score", "-0.5", "--", "--limit"],
            options: options
        )
        #expect(parsed.operands == ["a", "-", "--limit"])
        #expect(parsed.integer("limit") == 5)
        #expect(parsed.real("score") == -0.5)
        #expect(parsed.has("exact"))
        #expect(!parsed.has("head"))
    }

    @Test("A flag may have a letter")
    func letters() throws {
        let options = [OptionDescription("null", .flag, "", letter: "0"), OptionDescription("help", .flag, "")]
        let parsed = try Arguments(parsing: ["-0", "a", "-h"], options: options)
        #expect(parsed.has("null") && parsed.has("help"))
        #expect(parsed.operands == ["a"])
        #expect(options.map(\.spelling) == ["-0, --null", "--help"])
        #expect(try Arguments(parsing: ["--null"], options: options).has("null"))
        for words in [["-1"], ["-00"], ["-null"]] {
            #expect(throws: UsageError.self) { try Arguments(parsing: words, options: options) }
        }
    }

    @Test("Lists have commas between their values")
    func lists() throws {
        let parsed = try Arguments(parsing: ["--counts", "1,9", "--shares=.5,1", "--kinds", "b,a"], options: options)
        #expect(parsed.integers("counts") == [1, 9])
        #expect(parsed.reals("shares") == [0.5, 1])
        #expect(parsed.words("kinds") == ["b", "a"])
        #expect(parsed.integers("kind") == nil)
    }

    @Test(
        "What does not fit is refused by name",
        arguments: [
            (["--limit", "11"], "1 to 10"), (["--limit", "x"], "1 to 10"), (["--limit"], "needs a value"),
            (["--score=2"], "-1.0 to 1.0"), (["--head", "min"], "max, mean"), (["--exact=1"], "takes no value"),
            (["-limit"], "unknown option -limit"), (["--"], ""), (["--counts", "1,10"], "1 to 9"),
            (["--counts", "1,,2"], "1 to 9"), (["--shares", "2"], "0.0 to 1.0"), (["--kinds", "c"], "a, b"),
            (["--lmit", "1"], "unknown option --lmit"),
        ]
    )
    func refusals(words: [String], detail: String) throws {
        if detail.isEmpty {
            #expect(try Arguments(parsing: words, options: options).operands.isEmpty)
            return
        }
        let error = #expect(throws: UsageError.self) { try Arguments(parsing: words, options: options) }
        #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
    }

    @Test("An unknown option names its neighbour")
    func neighbour() {
        let error = #expect(throws: UsageError.self) { try Arguments(parsing: ["--lmit", "1"], options: options) }
        #expect(error?.fix == "did you mean --limit?")
    }
}
