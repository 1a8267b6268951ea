import Testing

@testable import Client

struct ArgumentsTests {
    private let options = [
        OptionDescription(name: "limit", value: .integer(1...10), help: ""),
        OptionDescription(name: "score", value: .real(-1...1), help: ""),
        OptionDescription(name: "head", value: .choice(["max", "mean"]), help: ""),
        OptionDescription(name: "exact", value: .flag, help: ""),
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

    @Test(
        "What does not fit is refused by name",
        arguments: [
            (["--limit", "11"], "1 to 10"), (["--limit", "x"], "1 to 10"), (["--limit"], "needs a value"),
            (["--score=2"], "-1.0 to 1.0"), (["--head", "min"], "max, mean"), (["--exact=1"], "takes no value"),
            (["-limit"], "unknown option -limit"), (["--"], ""), (["--lmit", "1"], "unknown option --lmit"),
        ]
    )
    func refusals(words: [String], detail: String) throws {
        if detail.isEmpty {
            #expect(try Arguments(parsing: words, options: options).operands.isEmpty)
            return
        }
        let error = #expect(throws: ClientError.self) { try Arguments(parsing: words, options: options) }
        #expect(error?.exitCode == .usage)
        #expect(error?.detail.contains(detail) == true, "\(error?.detail ?? "")")
    }

    @Test("An unknown option names its neighbour")
    func neighbour() {
        let error = #expect(throws: ClientError.self) { try Arguments(parsing: ["--lmit", "1"], options: options) }
        #expect(error?.fix == "did you mean --limit?")
    }
}
