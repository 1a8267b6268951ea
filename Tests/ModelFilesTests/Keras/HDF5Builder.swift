import Foundation

@testable import ModelFiles

/// Writes HDF5 files block by block, so that tests can write wrong ones: members first, then the groups that hold them.
struct HDF5Builder {
    enum Style: CaseIterable {
        /// Superblock 0, object headers 1, symbol tables: what h5py writes unless told otherwise.
        case old
        /// Superblock 3, object headers 2 with checksums, link messages: `libver='latest'`.
        case new
    }

    /// A message of an object header: its number in the format, and its content.
    struct Message {
        var type: Int
        var data: [UInt8]
        var flags: UInt8 = 0
    }

    let style: Style
    var bytes: [UInt8]
    /// Blocks whose last four bytes are the checksum of the others.
    private(set) var checksummed: [Range<Int>] = []

    init(_ style: Style) {
        self.style = style
        bytes = [UInt8](repeating: 0, count: style == .old ? 96 : 48)
    }

    static func little(_ value: Int, _ width: Int = 8) -> [UInt8] {
        (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// Appends a block at the next multiple of 8 and returns its address.
    mutating func append(_ block: [UInt8]) -> Int {
        while bytes.count & 7 != 0 { bytes.append(0) }
        bytes += block
        return bytes.count - block.count
    }

    private mutating func appendChecksummed(_ block: [UInt8]) -> Int {
        let address = append(block + Self.little(Int(HDF5Checksum.lookup3(block[...])), 4))
        checksummed.append(address..<bytes.count)
        return address
    }

    // MARK: - Objects

    /// Messages one after the other; each begins at a multiple of 8 in the old style.
    private func joined(_ messages: [Message]) -> [UInt8] {
        messages.flatMap { message -> [UInt8] in
            var data = message.data
            switch style {
            case .old:
                while data.count & 7 != 0 { data.append(0) }
                return Self.little(message.type, 2) + Self.little(data.count, 2) + [message.flags, 0, 0, 0] + data
            case .new:
                return [UInt8(message.type)] + Self.little(data.count, 2) + [message.flags] + data
            }
        }
    }

    /// Appends an object header; the messages after the first `split` stand in a continuation.
    mutating func object(_ messages: [Message], split: Int? = nil) -> Int {
        var first = messages
        if let split {
            var block = joined(Array(messages[split...]))
            let address: Int
            switch style {
            case .old: address = append(block)
            case .new:
                address = appendChecksummed(Array("OCHK".utf8) + block)
                block = Array(bytes[address...])
            }
            first = messages[..<split] + [Message(type: 0x10, data: Self.little(address) + Self.little(block.count))]
        }
        let block = joined(first)
        switch style {
        case .old:
            let head = [1, 0] + Self.little(first.count, 2) + Self.little(1, 4) + Self.little(block.count, 4)
            return append(head + Self.little(0, 4) + block)
        case .new:
            // 0x02: the length of the messages has four bytes.
            return appendChecksummed(Array("OHDR".utf8) + [2, 0x02] + Self.little(block.count, 4) + block)
        }
    }

    static func dataspace(_ shape: [Int]) -> Message {
        Message(type: 0x01, data: [1, UInt8(shape.count), 0] + little(0, 5) + shape.flatMap { little($0) })
    }

    /// fp32, least significant byte first.
    static let float = Message(
        type: 0x03,
        data: [0x11, 0x20, 31, 0] + little(4, 4) + [0, 0, 32, 0, 23, 8, 0, 23] + little(127, 4)
    )

    static func contiguous(_ address: Int, _ count: Int) -> Message {
        Message(type: 0x08, data: [3, 1] + little(address) + little(count))
    }

    /// Appends numbers and the object that describes them; `change` may spoil its messages.
    mutating func dataset(_ shape: [Int], _ values: [Float], change: (inout [Message]) -> Void = { _ in }) -> Int {
        let data = values.flatMap { Self.little(Int($0.bitPattern), 4) }
        var messages = [Self.dataspace(shape), Self.float, Self.contiguous(append(data), data.count)]
        change(&messages)
        return object(messages)
    }

    // MARK: - Groups

    static func link(_ name: String, _ address: Int) -> Message {
        Message(type: 0x06, data: [1, 0, UInt8(name.utf8.count)] + Array(name.utf8) + little(address))
    }

    /// Appends a group of named members; `change` may spoil its messages.
    mutating func group(_ members: [(String, Int)], change: (inout [Message]) -> Void = { _ in }) -> Int {
        var messages: [Message]
        switch style {
        case .old:
            messages = [symbolTable(members)]
        case .new:
            // No heap of links, no tree of names.
            messages = [Message(type: 0x02, data: [0, 0] + Self.little(-1) + Self.little(-1))]
            messages += members.map { Self.link($0, $1) }
        }
        change(&messages)
        return object(messages, split: messages.count > 2 ? 2 : nil)
    }

    /// Appends names, leaves of eight members and a tree of one or two levels above them.
    mutating func symbolTable(_ members: [(String, Int)]) -> Message {
        var names = Self.little(0)
        var entries: [[UInt8]] = []
        for (name, address) in members {
            entries.append(Self.little(names.count) + Self.little(address) + Self.little(0, 24))
            names += Array(name.utf8) + [0]
        }
        let text = append(names)
        let heap = append(
            Array("HEAP".utf8) + Self.little(0, 4) + Self.little(names.count) + Self.little(1) + Self.little(text)
        )
        let leaves = stride(from: 0, to: entries.count, by: 8).map { start in
            let part = entries[start..<min(entries.count, start + 8)]
            return append(Array("SNOD".utf8) + [1, 0] + Self.little(part.count, 2) + part.joined())
        }
        var root = tree(leaves, level: 0)
        if leaves.count > 1 { root = tree([root], level: 1) }
        return Message(type: 0x11, data: Self.little(root) + Self.little(heap))
    }

    mutating func tree(_ children: [Int], level: UInt8) -> Int {
        let keys = children.flatMap { Self.little(0) + Self.little($0) }
        let head = Array("TREE".utf8) + [0, level] + Self.little(children.count, 2)
        return append(head + Self.little(-1) + Self.little(-1) + keys + Self.little(0))
    }

    /// Appends a text to a global heap of its own; returns the attribute that points there.
    mutating func attribute(_ name: String, _ text: String) -> Message {
        let object = Self.little(1, 2) + Self.little(0, 6) + Self.little(text.utf8.count) + Array(text.utf8)
        let padded = object + [UInt8](repeating: 0, count: -object.count & 7)
        let heap = append(Array("GCOL".utf8) + [1, 0, 0, 0] + Self.little(16 + padded.count) + padded)
        // A text of variable length, whose base type is left out: readers know it. Then a scalar.
        let type = [0x19, 0x11, 0, 0] + Self.little(16, 4)
        let space: [UInt8] = [2, 0, 0, 0]
        let head = [3, 0] + Self.little(name.utf8.count + 1, 2) + Self.little(type.count, 2) + Self.little(4, 2) + [0]
        let value = Self.little(text.utf8.count, 4) + Self.little(heap) + Self.little(1, 4)
        return Message(type: 0x0C, data: head + Array(name.utf8) + [0] + type + space + value)
    }

    // MARK: - The whole

    /// A file whose root group has these members.
    mutating func file(_ members: [(String, Int)]) -> [UInt8] {
        let root = group(members)
        return finished(root: root)
    }

    /// The file with its superblock.
    func finished(root: Int) -> [UInt8] {
        var result = bytes
        var block: [UInt8] = [0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]
        let addresses = Self.little(0) + Self.little(-1) + Self.little(bytes.count)
        switch style {
        case .old:
            block += [0, 0, 0, 0, 0, 8, 8, 0, 4, 0, 16, 0, 0, 0, 0, 0] + addresses + Self.little(-1)
            block += Self.little(0) + Self.little(root) + Self.little(0, 24)
        case .new:
            block += [3, 8, 8, 0] + addresses + Self.little(root)
            block += Self.little(Int(HDF5Checksum.lookup3(block[...])), 4)
        }
        result.replaceSubrange(0..<block.count, with: block)
        return result
    }

    /// Makes the checksums of a spoiled file right again.
    func repaired(_ spoiled: [UInt8]) -> [UInt8] {
        var result = spoiled
        for range in checksummed + (style == .new ? [0..<48] : []) where range.upperBound <= result.count {
            let checksum = HDF5Checksum.lookup3(result[range.lowerBound..<range.upperBound - 4])
            result.replaceSubrange(range.upperBound - 4..<range.upperBound, with: Self.little(Int(checksum), 4))
        }
        return result
    }
}
