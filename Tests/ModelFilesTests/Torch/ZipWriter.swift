@testable import ModelFiles

/// Writes zip archives of stored entries, and broken ones.
struct ZipWriter {
    struct Entry {
        var name: String
        var localName: String
        var content: [UInt8]
        var method: UInt16 = 0
        var flags: UInt16 = 0
        var checksum: UInt32
        /// Added to what the directory says.
        var offsetShift = 0
        var sizeShift = 0
    }

    var entries: [Entry] = []
    /// 64-bit fields for everything.
    var isWide = false
    /// Replaces the directory's own count.
    var count: Int?
    var comment: [UInt8] = []

    mutating func add(_ name: String, _ content: [UInt8], checksum: UInt32? = nil) {
        let checksum = checksum ?? ZipArchive.checksum(content)
        entries.append(Entry(name: name, localName: name, content: content, checksum: checksum))
    }

    var bytes: [UInt8] {
        var file: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let offset = file.count + entry.offsetShift
            let size = entry.content.count + entry.sizeShift
            let name = Array(entry.name.utf8)
            let localName = Array(entry.localName.utf8)
            // As PyTorch writes them: sizes are known only behind the content, and padding aligns it.
            let padding: [UInt8] = [0x46, 0x42, 3, 0, 0x5A, 0x5A, 0x5A]
            file += littleEndian(UInt32(0x0403_4B50)) + [UInt8](repeating: 0, count: 22)
            file += littleEndian(UInt16(localName.count)) + littleEndian(UInt16(padding.count)) + localName + padding
            file += entry.content
            file += littleEndian(UInt32(0x0807_4B50)) + littleEndian(entry.checksum)
            file += littleEndian(UInt32(entry.content.count)) + littleEndian(UInt32(entry.content.count))

            let wide =
                littleEndian(UInt16(1)) + littleEndian(UInt16(24)) + littleEndian(UInt64(size))
                + littleEndian(UInt64(size)) + littleEndian(UInt64(offset))
            let extra = isWide ? padding + wide : []
            let shortSize = isWide ? UInt32.max : UInt32(truncatingIfNeeded: size)
            directory += littleEndian(UInt32(0x0201_4B50)) + [0, 0, 0, 0]
            directory += littleEndian(entry.flags) + littleEndian(entry.method) + [0, 0, 0, 0]
            directory += littleEndian(entry.checksum) + littleEndian(shortSize) + littleEndian(shortSize)
            directory += littleEndian(UInt16(name.count)) + littleEndian(UInt16(extra.count))
            directory += [UInt8](repeating: 0, count: 10)
            directory += littleEndian(isWide ? UInt32.max : UInt32(truncatingIfNeeded: offset)) + name + extra
        }
        let start = file.count
        let count = count ?? entries.count
        file += directory
        if isWide {
            let record = file.count
            file += littleEndian(UInt32(0x0606_4B50)) + littleEndian(UInt64(44)) + [UInt8](repeating: 0, count: 12)
            file += littleEndian(UInt64(count)) + littleEndian(UInt64(count))
            file += littleEndian(UInt64(directory.count)) + littleEndian(UInt64(start))
            file += littleEndian(UInt32(0x0706_4B50)) + [0, 0, 0, 0] + littleEndian(UInt64(record)) + [1, 0, 0, 0]
        }
        file += littleEndian(UInt32(0x0605_4B50)) + [0, 0, 0, 0]
        file += littleEndian(isWide ? UInt16.max : UInt16(count)) + littleEndian(isWide ? UInt16.max : UInt16(count))
        file += littleEndian(isWide ? UInt32.max : UInt32(directory.count))
        file += littleEndian(isWide ? UInt32.max : UInt32(start))
        return file + littleEndian(UInt16(comment.count)) + comment
    }
}
