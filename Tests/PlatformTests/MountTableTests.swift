import Testing

@testable import Platform

@Suite struct MountTableTests {
    @Test func `Paths of the table are bytes again, whatever they hold`() {
        let text = """
            65 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
            82 80 0:25 / /a\\040b\\134c rw,nosuid - tmpfs tmpfs rw

            short line
            90 65 0:40 /sub /a\\040b\\134c rw - tmpfs none rw
            """
        let mounts = MountTable.parse(Array(text.utf8))
        #expect(mounts.count == 3)
        #expect(Set(mounts.map(\.path)) == [RelativePath("/"), RelativePath("/a b\\c")])
    }

    @Test func `A table in which nothing changed tells nothing`() throws {
        let table = try MountTable()
        // Other processes of this namespace may mount something at any time, but not for ever.
        #expect((0..<1000).contains { _ in table.changes().isEmpty })
    }
}
