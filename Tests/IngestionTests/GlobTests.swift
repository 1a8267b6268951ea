import Foundation
import Platform
import TestSupport
import Testing

@testable import Ingestion

/// Whether globs mean what gitignore(5) says, with git itself as the oracle.
@Suite struct GlobTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    private static let pieces = [
        "a", "b", "c", "*", "**", "?", "/", "/", "**/", "/**", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "[[:alpha:]]",
        "[[:digit:]-]", "\\a", "\\*", ".", "-", "1", " ", "[", "]", "a*", "*b",
    ]
    private static let names = ["a", "b", "c", "ab", "abc", "a.b", "1", "-", "]", "a1", "*", "b c", "caab"]

    /// Runs git below a folder.
    private func git(_ arguments: [String], in folder: String, input: [UInt8]) throws -> [UInt8] {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/git")
        process.arguments = ["-C", folder] + arguments
        var environment = ProcessInfo.processInfo.environment
        environment["HOME"] = folder
        environment["GIT_CONFIG_NOSYSTEM"] = "1"
        process.environment = environment
        let given = folder + "/.git-input"
        try Data(input).write(to: URL(filePath: given))
        process.standardInput = try FileHandle(forReadingFrom: URL(filePath: given))
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return [UInt8](bytes)
    }

    @Test("Random patterns match the same paths as git's")
    func random() throws {
        let folder = try TemporaryDirectory()
        _ = try git(["init", "-q"], in: folder.path, input: [])
        var generator = Generator(state: 20_261_201)
        var comparedCount = 0
        for _ in 0..<60 {
            // Each pattern in a folder of its own, so that one run of git answers for many.
            var text = ""
            var expected: [String: Bool] = [:]
            for number in 0..<40 {
                let count = Int.random(in: 1...5, using: &generator)
                let pattern = (0..<count).map { _ in Self.pieces.randomElement(using: &generator)! }.joined()
                // gitignore(5) calls stars within a name regular ones; git takes off the text before them, and then takes
                // `a**/b` for `**/b`.
                if pattern.contains(/[^\/*]\*\*/) { continue }
                guard let glob = GlobPattern(line: pattern.utf8), !glob.isNegated else { continue }
                let place = "p\(number)"
                try FileManager.default.createDirectory(
                    atPath: "\(folder.path)/\(place)",
                    withIntermediateDirectories: true
                )
                try Data("\(pattern)\n".utf8).write(to: URL(filePath: "\(folder.path)/\(place)/.gitignore"))
                for _ in 0..<12 {
                    let depth = Int.random(in: 1...3, using: &generator)
                    let parts = (0..<depth).map { _ in Self.names.randomElement(using: &generator)! }
                    let path = parts.joined(separator: "/")
                    // A file below an excluded folder is excluded in git.
                    let isExcluded = (1...depth).contains { end in
                        let part = Array(parts[..<end].joined(separator: "/").utf8)
                        return glob.matches(part[...], isFolder: end < depth)
                    }
                    expected["\(place)/\(path)"] = isExcluded
                    text += "\(place)/\(path)\0"
                }
            }
            let output = try git(
                ["check-ignore", "--no-index", "--stdin", "-z"],
                in: folder.path,
                input: Array(text.utf8)
            )
            let ignored = Set(output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) })
            for (path, isExcluded) in expected where isExcluded != ignored.contains(path) {
                let place = path.prefix { $0 != "/" }
                let pattern = try String(contentsOfFile: "\(folder.path)/\(place)/.gitignore", encoding: .utf8)
                Issue.record("'\(pattern.dropLast())' on \(path): git says \(ignored.contains(path))")
            }
            comparedCount += expected.count
            for number in 0..<40 { try? FileManager.default.removeItem(atPath: "\(folder.path)/p\(number)") }
        }
        #expect(comparedCount > 10_000)
    }

    @Test("A pattern of many stars costs no more than its length times the path's")
    func manyStars() throws {
        let pattern = try #require(GlobPattern(line: String(repeating: "*a", count: 1000).utf8))
        let path = Array(String(repeating: "a", count: 4000).utf8) + [UInt8(ascii: "b")]
        // Backtracking would take longer than the universe has.
        #expect(!pattern.matches(path[...], isFolder: false))
        let folders = try #require(GlobPattern(line: "**/a/**/a/**/*a*a*/x".utf8))
        let deep = Array((String(repeating: "a/", count: 1000) + "b").utf8)
        #expect(!folders.matches(deep[...], isFolder: false))
    }

    @Test("An ignore file is bounded")
    func bounds() {
        let many = Array(String(repeating: "a\n", count: 5000).utf8)
        #expect(throws: RuleError.self) { try IgnoreFile(many) }
    }
}
