import Server
import Testing

@testable import Daemon

@Suite struct VersionTests {
    @Test func everyLibraryHasAVersionNumber() {
        let libraries = Version.current.libraries
        #expect(libraries.keys.sorted() == ["libjpeg-turbo", "libpng", "lmdb", "nettle", "openblas"])
        for (name, version) in libraries {
            #expect(version.split(separator: ".").first.flatMap { Int($0) } != nil, "\(name) \(version)")
        }
    }
}
