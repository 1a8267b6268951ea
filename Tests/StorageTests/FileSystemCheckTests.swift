import TestSupport
import Testing

@testable import Storage

struct FileSystemCheckTests {
    @Test(arguments: [0x6969, 0xFF53_4D42, 0xFE53_4D42, 0x517B, 0x0102_1997, 0x00C3_6400] as [UInt32])
    func networkFileSystemsAreKnown(_ magic: UInt32) { #expect(FileSystemCheck.isNetworkMagic(magic)) }

    /// ext4, tmpfs, XFS, Btrfs, overlayfs, ZFS, F2FS
    @Test(
        arguments: [0xEF53, 0x0102_1994, 0x5846_5342, 0x9123_683E, 0x794C_7630, 0x2FC1_2FC1, 0xF2F5_2010] as [UInt32]
    )
    func localFileSystemsAreNot(_ magic: UInt32) { #expect(!FileSystemCheck.isNetworkMagic(magic)) }

    @Test func aDirectoryIsMadeWithItsParents() throws {
        let folder = try TemporaryDirectory()
        let path = folder.path + "/a/b/c"
        try FileSystemCheck.make(path)
        try FileSystemCheck.make(path)
        try FileSystemCheck.requireLocal(path)
        #expect(throws: StorageError.self) { try FileSystemCheck.make("/proc/no/such") }
    }
}
