import Foundation

/// Makes LMDB's own descriptors fail, as a broken or full disk would.
///
/// LMDB holds `data.mdb` twice: once for pages and once, with `O_DSYNC`, for the meta pages that end a commit.
package struct DescriptorFault {
    package enum Target { case pages, meta }

    private let descriptor: Int32
    private let original: Int32

    /// Replaces the descriptor by `path`, opened with `flags`.
    package init?(_ target: Target, in directory: String, by path: String, flags: Int32) {
        let descriptors = (0..<1024).map(Int32.init).filter { number in
            var buffer = [CChar](repeating: 0, count: 4096)
            let length = readlink("/proc/self/fd/\(number)", &buffer, buffer.count)
            guard length > 0 else { return false }
            let name = String(decoding: buffer[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return name == URL(filePath: directory).resolvingSymlinksInPath().path + "/data.mdb"
        }
        let wantsMeta = target == .meta
        guard let found = descriptors.first(where: { (fcntl($0, F_GETFL) & O_DSYNC != 0) == wantsMeta }) else {
            return nil
        }
        descriptor = found
        original = dup(found)
        let replacement = open(path, flags)
        guard original >= 0, replacement >= 0, dup2(replacement, found) >= 0 else { return nil }
        close(replacement)
    }

    /// Puts the working descriptor back.
    package func repair() {
        dup2(original, descriptor)
        close(original)
    }

    /// Lets the working descriptor go, after LMDB has opened the file anew.
    package func discard() { close(original) }
}
