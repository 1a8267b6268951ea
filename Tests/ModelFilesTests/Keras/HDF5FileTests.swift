import Testing

@testable import ModelFiles

/// Files that are sound but for one thing.
struct HDF5FileTests {
    typealias Message = HDF5Builder.Message

    /// The message with which bytes are refused.
    private func refusal(_ bytes: [UInt8]) throws -> String {
        try #require(throws: ModelFileError.self) { _ = try KerasLayout.read(WeightBytes(bytes, name: "w.h5")) }
            .description
    }

    /// How a file with one layer is refused whose kernel's messages were changed.
    private func refusal(_ style: HDF5Builder.Style, kernel change: (inout [Message]) -> Void) throws -> String {
        var builder = HDF5Builder(style)
        let values = [Float](repeating: 1, count: 54)
        let members = [
            ("bias", builder.dataset([2], [1, 2])), ("kernel", builder.dataset([3, 3, 3, 2], values, change: change)),
        ]
        return try refusal(builder.file([("block1_conv1", builder.group(members))]))
    }

    @Test func `the checksum is lookup3's`() {
        // The values that its author's own program prints.
        #expect(HDF5Checksum.lookup3([]) == 0xDEAD_BEEF)
        #expect(HDF5Checksum.lookup3(Array("Four score and seven years ago".utf8)[...]) == 0x1777_0551)
    }

    @Test(arguments: HDF5Builder.Style.allCases)
    func `a dataset's fault is named with the dataset`(style: HDF5Builder.Style) throws {
        let little = HDF5Builder.little
        let faults: [(String, (inout [Message]) -> Void)] = [
            ("lies outside", { $0[2] = HDF5Builder.contiguous(1 << 40, 216) }),
            ("lies outside", { $0[2] = HDF5Builder.contiguous(0, .max) }),
            ("impossible address", { $0[2] = HDF5Builder.contiguous(-2, 216) }),
            ("impossible length", { $0[2] = HDF5Builder.contiguous(96, -2) }),
            ("never written", { $0[2] = HDF5Builder.contiguous(-1, 0) }),
            ("belong", { $0[2] = HDF5Builder.contiguous(0, 216) }),
            ("needs 216 bytes and has 8", { $0[2].data.replaceSubrange(10..<18, with: little(8, 8)) }),
            ("chunks", { $0[2].data[1] = 2 }), ("unknown way 3", { $0[2].data[1] = 3 }),
            ("version 2", { $0[2].data[0] = 2 }),
            ("impossible shape", { $0[0] = HDF5Builder.dataspace([1 << 31, 1 << 31, 1 << 31, 2]) }),
            ("impossible length", { $0[0] = HDF5Builder.dataspace([3, 3, -3, 2]) }),
            ("too early", { $0[0].data[1] = 200 }), ("version 3", { $0[0].data[0] = 3 }),
            ("has no numbers", { $0[0].data = [2, 0, 0, 2] }),
            ("class 0", { $0[1].data[0] = 0x10 }), ("class 9", { $0[1].data[0] = 0x19 }),
            ("version 0", { $0[1].data[0] = 0x01 }),
            ("no number format", { $0[1].data[4] = 0 }), ("no number format", { $0[1].data[4] = 3 }),
            ("no number format", { $0[1].data[2] = 15 }), ("no number format", { $0[1].data[1] = 0x60 }),
            ("no number format", { $0[1].data[16] = 126 }), ("no number format", { $0[1].data[13] = 7 }),
            ("compressed", { $0.append(Message(type: 0x0B, data: [2, 1])) }),
            ("other files", { $0.append(Message(type: 0x07, data: [1])) }),
            ("is no dataset", { $0.remove(at: 1) }), ("2 dataspace messages", { $0.append($0[0]) }),
            ("shares its datatype", { $0[1].flags = 2 }),
        ]
        for (words, change) in faults {
            let message = try refusal(style, kernel: change)
            #expect(message.contains("w.h5") && message.contains(words), "\(words): \(message)")
            #expect(words == "belong" || message.contains("block1_conv1/kernel"), "\(message)")
        }
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a non-finite weight is refused by its dataset's name`(value: Float) throws {
        var builder = HDF5Builder(.old)
        let kernel = builder.dataset([3, 3, 3, 1], [Float](repeating: 1, count: 26) + [value])
        let members = [("kernel", kernel), ("bias", builder.dataset([1], [0]))]
        let root = builder.group([("block1_conv1", builder.group(members))])
        #expect(try refusal(builder.finished(root: root)).contains("block1_conv1/kernel holds NaN"))
    }

    @Test(arguments: HDF5Builder.Style.allCases)
    func `cycles and shared blocks end in an error`(style: HDF5Builder.Style) throws {
        // A group that holds itself: its address is where the header with the same content would stand.
        var builder = HDF5Builder(style)
        var probe = builder
        let itself = probe.group([("loop", 0)])
        let root = builder.group([("loop", itself)])
        #expect(root == itself)
        #expect(try refusal(builder.finished(root: root)).contains("belongs to several structures"))

        // One dataset under two names, and two headers for the same numbers.
        builder = HDF5Builder(style)
        let bias = builder.dataset([1], [0])
        let twice = builder.group([
            ("block1_conv1", builder.group([("bias", bias)])), ("again", builder.group([("bias", bias)])),
        ])
        #expect(try refusal(builder.finished(root: twice)).contains("belongs to several structures"))
        builder = HDF5Builder(style)
        let data = builder.append([UInt8](repeating: 0, count: 216))
        let members = [("kernel", 0, [3, 3, 3, 2]), ("bias", 8, [2])].map { name, offset, shape in
            let place = HDF5Builder.contiguous(data + offset, 4 * shape.reduce(1, *))
            return (name, builder.object([HDF5Builder.dataspace(shape), HDF5Builder.float, place]))
        }
        let shared = builder.group([("block1_conv1", builder.group(members))])
        #expect(try refusal(builder.finished(root: shared)).contains("belong to two structures"))

        // A continuation that continues with itself.
        builder = HDF5Builder(style)
        let next = builder.bytes.count
        let message = Message(type: 0x10, data: HDF5Builder.little(next) + HDF5Builder.little(style == .old ? 24 : 28))
        let block = builder.object([message, message], split: 1)
        #expect(try refusal(builder.finished(root: block)).contains("belongs to several structures"))
    }

    @Test func `deep groups are refused`() throws {
        var builder = HDF5Builder(.new)
        var group = builder.group([])
        for _ in 0..<40 { group = builder.group([("a", group)]) }
        #expect(try refusal(builder.finished(root: group)).contains("more than 32 groups deep"))
    }

    @Test func `trees whose levels do not fall are refused`() throws {
        var builder = HDF5Builder(.old)
        let address = builder.bytes.count
        for level: UInt8 in [0, 1, 33, 255] {
            builder = HDF5Builder(.old)
            let tree = builder.tree([address], level: level)
            let names = builder.append(HDF5Builder.little(0))
            let head = Array("HEAP".utf8) + HDF5Builder.little(0, 4) + HDF5Builder.little(8)
            let heap = builder.append(head + HDF5Builder.little(0) + HDF5Builder.little(names))
            let table = Message(type: 0x11, data: HDF5Builder.little(tree) + HDF5Builder.little(heap))
            let root = builder.object([table])
            _ = try refusal(builder.finished(root: root))
        }
    }

    @Test(arguments: [
        ("a name that is none", "a/b"), ("a name that is none", ""), ("a name that is none", "a\u{1B}[2J"),
        ("a name that is none", String(repeating: "a", count: 256)), ("two members of one name", "bias"),
    ])
    func `names that no file has are refused`(words: String, name: String) throws {
        var builder = HDF5Builder(.old)
        let members = [("bias", builder.dataset([1], [0])), (name, builder.dataset([1], [0]))]
        #expect(try refusal(builder.file(members)).contains(words))
    }

    @Test(arguments: [
        ("version 4", 8, [4]), ("addresses of 4", 13, [4]), ("lengths of 2", 14, [2]),
        ("elsewhere than byte 0", 24, [8]), ("no root group", 64, [UInt8](repeating: 0xFF, count: 8)),
        ("signature", 7, [0]), ("impossible address", 64, [UInt8](repeating: 0xFE, count: 8)),
    ])
    func `a superblock of another kind is refused`(words: String, place: Int, value: [UInt8]) throws {
        var bytes = KerasFixture(.old, .keras2).bytes
        bytes.replaceSubrange(place..<place + value.count, with: value)
        #expect(try refusal(bytes).contains(words))
    }

    @Test func `a wrong checksum is refused wherever it stands`() throws {
        let fixture = KerasFixture(.new, .keras3)
        for range in fixture.builder.checksummed + [0..<48] {
            for place in [range.upperBound - 1, (range.lowerBound + range.upperBound) / 2] {
                var bytes = fixture.bytes
                bytes[place] ^= 0x10
                let message = try refusal(bytes)
                // The blocks of the classifier are headers too, and every header is read.
                #expect(message.contains("checksum") || place < 48, "byte \(place): \(message)")
            }
        }
    }

    @Test func `a link heap and a broken attribute are refused`() throws {
        var builder = HDF5Builder(.new)
        let dense = builder.group([]) { $0[0].data.replaceSubrange(2..<10, with: HDF5Builder.little(96)) }
        #expect(try refusal(builder.finished(root: dense)).contains("keeps its many links in a heap"))

        for (offset, value, words) in [(4, 1 << 40, "outside"), (12, 7, "no object 7"), (0, 1 << 20, "a text of")] {
            builder = HDF5Builder(.new)
            var name = builder.attribute("name", "block1_conv1")
            let place = name.data.count - 16 + offset
            let width = offset == 4 ? 8 : 4
            name.data.replaceSubrange(place..<place + width, with: HDF5Builder.little(value, width))
            let vars = builder.group([("0", builder.dataset([1], [1]))]) { $0.append(name) }
            #expect(try refusal(builder.file([("vars", vars)])).contains(words))
        }
    }
}
