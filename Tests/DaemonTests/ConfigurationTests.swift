import Daemon
import Foundation
import Ingestion
import TestSupport
import Testing

@Suite struct ConfigurationTests {
    private func load(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Configuration {
        let home = ["HOME": "/nowhere"].merging(environment) { $1 }
        let command = try ConfigurationLoader.load(arguments: arguments, environment: home, userID: 1000)
        guard case .run(let configuration) = command else {
            Issue.record("\(arguments) did not ask to run")
            throw ConfigurationError("no configuration")
        }
        return configuration
    }

    @Test func flagsWinOverVariablesAndVariablesOverTheFile() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "likeness.json5")
        try Data("{ // comment\n state: '/file', head: 'mean', threads: 3, root: ['/a', '/b'], }".utf8).write(to: file)
        let configuration = try load(
            ["--config", file.path, "--state=/flag"],
            ["LIKENESS_STATE": "/variable", "LIKENESS_HEAD": "gem3"]
        )
        #expect(configuration.stateDirectory == "/flag")
        #expect(configuration.head == "gem3")
        #expect(configuration.threads == 3)
        #expect(configuration.roots == ["/a", "/b"])
    }

    /// A colon separates in a variable only: a folder's name may hold one.
    @Test func listsAreTakenFromEachSourceInItsOwnForm() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "likeness.json5")
        try Data("{ root: ['/file:1', '/file2'], admin: [7] }".utf8).write(to: file)
        let configuration = try load(
            ["--config", file.path, "--root", "/flag:1"],
            ["LIKENESS_ROOT": "/a:/b", "LIKENESS_ADMIN": "8:9"]
        )
        #expect(configuration.roots == ["/file:1", "/file2", "/a", "/b", "/flag:1"])
        #expect(configuration.admins == [7, 8, 9])
    }

    @Test func whatIsLookedAtIsTakenFromEverySource() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "likeness.json5")
        let list = "exclude: ['a:b/', '*.png'], bins: false"
        let text = "{ \(list), 'min-pixels': 64, 'max-depth': 3, 'document-required': true }"
        try Data(text.utf8).write(to: file)
        let settings = try load(
            ["--config", file.path, "--exclude", "raw/", "--hidden", "--rescan-interval=0", "--other-file-systems"],
            ["LIKENESS_EXCLUDE": "x:y", "LIKENESS_MIN_PIXELS": "100", "LIKENESS_IGNORE_FILES": "no"]
        ).rootSettings
        #expect(settings.exclude == ["a:b/", "*.png", "x", "y", "raw/"])
        #expect(settings.minimumPixels == 100)
        #expect(settings.maximumDepth == 3 && settings.rescanInterval == 0)
        #expect(settings.hidden && settings.otherFileSystems && settings.requiresDocument)
        #expect(!settings.bins && !settings.ignoreFiles)
        for wrong in ["--max-depth=0", "--rescan-interval=59", "--min-bytes=x", "--exclude=#", "--bins=maybe"] {
            let error = #expect(throws: ConfigurationError.self) { try load([wrong]) }
            let name = wrong.dropFirst(2).prefix { $0 != "=" }
            #expect(error?.description.contains(name) == true)
        }
    }

    @Test func anEmptyVariableIsNone() throws {
        let configuration = try load([], ["LIKENESS_SOCKET": "", "LIKENESS_THREADS": "", "LIKENESS_CONFIG": ""])
        #expect(configuration.socketPath == "/nowhere/.local/state/likeness/likeness.sock")
        #expect(configuration.threads == nil)
    }

    @Test func aListWhereOneValueGoesIsRefused() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "likeness.json5")
        try Data("{ head: ['max', 'mean'] }".utf8).write(to: file)
        #expect(throws: ConfigurationError.self) { try load(["--config", file.path]) }
    }

    @Test func rootAndUsersHaveTheirOwnPlaces() throws {
        let user = try load([], ["XDG_RUNTIME_DIR": "/run/user/7", "XDG_STATE_HOME": "/s"])
        #expect(user.stateDirectory == "/s/likeness")
        #expect(user.socketPath == "/run/user/7/likeness/likeness.sock")
        let command = try ConfigurationLoader.load(
            arguments: ["--config", "/dev/null"].prefix(0).map { $0 },
            environment: [:],
            userID: 0
        )
        guard case .run(let system) = command else { throw ConfigurationError("no configuration") }
        #expect(system.socketPath == "/run/likeness/likeness.sock")
    }

    @Test(arguments: [
        (["--stat", "/x"], "--state"),
        (["/photos"], "--root /photos"),
        (["--threads", "0"], "1...1024"),
        (["--threads"], "needs a value"),
        (["--backend", "cuda"], "auto, cpu, vulkan"),
        (["--admin", "65534"], "65534"),
        (["--weights", "a", "--model", "b"], "exclude each other"),
    ])
    func whatIsWrongIsNamedWithWhatWouldBeRight(arguments: [String], expected: String) {
        #expect {
            _ = try load(arguments)
        } throws: { error in
            "\(error)".contains(expected)
        }
    }

    @Test func anUnknownKeyOfTheFileIsNamed() throws {
        let folder = try TemporaryDirectory()
        let file = folder.url.appending(path: "likeness.json5")
        try Data("{ sokcet: '/x' }".utf8).write(to: file)
        #expect {
            _ = try load(["--config", file.path])
        } throws: { error in
            "\(error)".contains("sokcet") && "\(error)".contains("did you mean socket?")
        }
    }

    @Test func helpNamesEveryFlag() {
        for flag in ["--root", "--state", "--socket", "--http", "--weights", "--backend", "--threads"] {
            #expect(ConfigurationLoader.help.contains(flag))
        }
    }
}
