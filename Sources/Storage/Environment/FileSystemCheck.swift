internal import CLMDB
internal import Glibc
internal import Platform

/// Whether a directory's file system can hold a memory-mapped store.
enum FileSystemCheck {
    /// `f_type` of the file systems that other machines may change below a map; from linux/magic.h and statfs(2).
    private static let networkMagics: Set<UInt32> = [
        0x6969,  // NFS
        0x517B, 0xFF53_4D42, 0xFE53_4D42,  // SMB, CIFS, SMB2
        0x0102_1997,  // 9P
        0x00C3_6400,  // Ceph
        0x5346_414F, 0x6B41_4653,  // AFS
        0x0BD0_0BD0,  // Lustre
        0x7375_7245,  // Coda
        0x564C,  // NCP
    ]

    static func isNetworkMagic(_ magic: UInt32) -> Bool { networkMagics.contains(magic) }

    /// Throws `.networkFileSystem` where LMDB must not be used.
    static func requireLocal(_ directory: String) throws(StorageError) {
        var status = statfs()
        do { try retrying("statfs \(directory)") { statfs(directory, &status) } } catch { throw StorageError(error) }
        if isNetworkMagic(UInt32(truncatingIfNeeded: status.f_type)) {
            throw StorageError(code: .networkFileSystem, operation: directory)
        }
    }

    /// Bytes that this process may still write on the file system of `directory`; nil when that is not to be had.
    static func freeByteCount(_ directory: String) -> UInt64? {
        var status = statvfs()
        guard statvfs(directory, &status) == 0 else { return nil }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    /// Makes `directory` with its parents, for its owner alone, and makes the new name durable.
    static func make(_ directory: String) throws(StorageError) {
        var path = directory.hasPrefix("/") ? "" : "."
        for component in directory.split(separator: "/") {
            let parent = path.isEmpty ? "/" : path
            path += "/" + component
            if mkdir(path, 0o700) == 0 {
                do throws(StorageError) { try synchronize(parent) } catch {
                    // Where it is found the next time, it is taken to be durable.
                    rmdir(path)
                    throw error
                }
            } else if errno != EEXIST {
                throw StorageError(SystemError.last("make directory \(path)"))
            }
        }
    }

    /// Makes a directory's entries durable; where the file system cannot, or the directory may be entered but not read,
    /// nothing better is possible than to go on.
    static func synchronize(_ directory: String) throws(StorageError) {
        do throws(SystemError) {
            let descriptor = try OwnedDescriptor.open(directory, O_RDONLY | O_DIRECTORY)
            let number = descriptor.rawValue
            try retrying("flush \(directory)") { fsync(number) }
        } catch {
            guard ![EACCES, EPERM, EINVAL, EBADF, ENOTSUP, EROFS].contains(error.code) else { return }
            throw StorageError(error)
        }
    }
}
