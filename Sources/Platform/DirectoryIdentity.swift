internal import CPlatform
internal import Glibc

/// Object identity of a directory: two that had one path one after the other differ in it.
///
/// File systems give a freed inode number to the next directory at once, and the kernel gives device and mount numbers
/// of what is unmounted to the next mount; so the time of creation is part of it, where it is kept.
package struct DirectoryIdentity: Hashable, Sendable {
    package var device: UInt64
    package var inode: UInt64
    /// The mount through which it was reached; 0 where that is not known.
    package var mount: UInt64
    /// Nanoseconds since 1970 of its creation; 0 where the file system does not keep that.
    package var born: Int64

    package init(device: UInt64, inode: UInt64, mount: UInt64, born: Int64) {
        self.device = device
        self.inode = inode
        self.mount = mount
        self.born = born
    }
}

/// A file system by its kind and number.
package struct FileSystemIdentity: Hashable, Sendable {
    /// `f_type`, as `statfs(2)` lists them.
    package var type: UInt32
    /// `f_fsid`: the same over restarts for file systems on disks; 0 for those that have none.
    package var number: UInt64

    /// Whether other machines or programs change files there without a word to this kernel: NFS, SMB, 9P, Ceph, AFS, FUSE.
    package var isNetworked: Bool { Self.networked.contains(type) }

    /// The name of a file system whose files are the kernel's own values and devices; nil for one that holds people's files.
    package var kernelName: String? { Self.kernels[type] }

    /// nfs, smb, cifs, smb2, 9p, ceph, afs (two), coda and fuse.
    private static let networked: Set<UInt32> = [
        0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x00C3_6400, 0x5346_414F, 0x6B41_4653, 0x7375_7245,
        0x6573_5546,
    ]

    private static let kernels: [UInt32: String] = [
        0x9FA0: "proc", 0x6265_6572: "sysfs", 0x1CD1: "devpts", 0x0027_E0EB: "cgroup", 0x6367_7270: "cgroup2",
        0x6462_6720: "debugfs", 0x7472_6163: "tracefs", 0x7363_6673: "securityfs", 0x6265_6570: "configfs",
        0x6573_5543: "fusectl", 0x6165_676C: "pstore", 0xCAFE_4A11: "bpf", 0xDE5E_81E4: "efivarfs",
        0x1980_0202: "mqueue", 0x4249_4E4D: "binfmt_misc", 0x6E73_6673: "nsfs", 0x9584_58F6: "hugetlbfs",
        0xF97C_FF8C: "selinuxfs", 0x4341_5D53: "smackfs", 0x5A3C_69F0: "apparmorfs", 0x6C6F_6F70: "binderfs",
        0x6759_6969: "rpc_pipefs", 0x6E66_7364: "nfsd", 0x0765_5821: "resctrl", 0x9FA1: "openpromfs",
        0x9FA2: "usbfs", 0x0904_1934: "anon_inodefs", 0x5049_5045: "pipefs", 0x534F_434B: "sockfs",
        0x444D_4142: "dmabuf", 0x5345_434D: "secretmem",
    ]
}

extension OwnedDescriptor {
    /// Opens a directory by its absolute path, links followed, for what `openDirectory(beneath:)` and the like do.
    package static func openPlace(_ path: RelativePath) throws(SystemError) -> OwnedDescriptor {
        let number = try retrying("open \(path)") {
            path.withCString { Glibc.open($0, CPlatform_O_PATH | O_DIRECTORY | O_CLOEXEC) }
        }
        return OwnedDescriptor(owning: number)
    }

    /// Which directory this is; the corresponding C function is `statx`.
    package func identity() throws(SystemError) -> DirectoryIdentity {
        var found = CPlatform_identity()
        try retrying("statx") { CPlatform_identify(rawValue, &found) }
        return DirectoryIdentity(device: found.device, inode: found.inode, mount: found.mount, born: found.born)
    }

    /// Which file system this file lies on; the corresponding C function is `fstatfs`.
    package func fileSystem() throws(SystemError) -> FileSystemIdentity {
        var (type, number): (UInt32, UInt64) = (0, 0)
        try retrying("fstatfs") { CPlatform_file_system(rawValue, &type, &number) }
        return FileSystemIdentity(type: type, number: number)
    }
}
