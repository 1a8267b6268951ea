import Inference
import Testing

@testable import ModelFiles

/// Files of PyTorch that are damaged or written to harm: each is refused for its own reason.
struct TorchHostileTests {
    private func expectRefusal(_ bytes: [UInt8], _ words: String, _ what: String = "") throws {
        let error = try #require(throws: ModelFileError.self, "\(what)") { try imported(bytes) }
        #expect(error.description.contains(words), "\(what): \(error)")
        #expect(error.description.hasPrefix("w.pth "))
    }

    private func expectRefusal(_ fixture: TorchFixture, _ words: String, _ what: String = "") throws {
        for form in TorchForm.allCases { try expectRefusal(form.bytes(fixture), words, "\(what), \(form)") }
    }

    private func intruded(_ intruder: @escaping (inout PickleWriter) -> Void) -> TorchFixture {
        var fixture = TorchFixture.valid
        fixture.intruder = intruder
        return fixture
    }

    @Test(arguments: [
        ("posix", "system"), ("os", "system"), ("builtins", "eval"), ("__builtin__", "exec"), ("subprocess", "Popen"),
        ("torch", "load"), ("torch", "hub"), ("torch.storage", "_load_from_bytes"), ("collections", "namedtuple"),
        ("torchvision.models.vgg", "VGG"), ("numpy.core.multiarray", "_reconstruct"),
    ])
    func `a pickle that calls something is refused by the name it calls`(module: String, name: String) throws {
        let words = "a pickle that calls \(module).\(name)"
        try expectRefusal(
            intruded { writer in
                writer.global(module, name)
                writer.text("touch /tmp/owned")
                writer.op(.tuple1)
                writer.op(.reduce)
            },
            words
        )
        try expectRefusal(
            intruded { writer in
                writer.text(module)
                writer.text(name)
                writer.op(.stackGlobal)
            },
            words
        )
    }

    @Test func `terminal codes in names do not reach messages`() throws {
        try expectRefusal(intruded { $0.global("\u{1B}[2J", "\u{7F}") }, "a pickle that calls ?[2J.?")
    }

    @Test func `calls and states of what the pickle made itself are refused`() throws {
        func refused(_ words: String, _ intruder: @escaping (inout PickleWriter) -> Void) throws {
            try expectRefusal(intruded(intruder), words)
        }
        try refused("calls something it made itself") { writer in
            writer.text("posix.system")
            writer.op(.emptyTuple)
            writer.op(.reduce)
        }
        try refused("calls without arguments") { writer in
            writer.global("collections", "OrderedDict")
            writer.text("x")
            writer.op(.reduce)
        }
        try refused("sets the state of") { writer in
            writer.global("torch", "FloatStorage")
            writer.op(.emptyDictionary)
            writer.op(.build)
        }
        try refused("calls a storage's class") { writer in
            writer.global("torch", "FloatStorage")
            writer.op(.emptyTuple)
            writer.op(.newObject)
        }
        try refused("calls something without a name") { writer in
            writer.integer(1)
            writer.integer(2)
            writer.op(.stackGlobal)
        }
        try refused("other arguments") { writer in
            writer.global("torch._utils", "_rebuild_tensor_v2")
            writer.op(.emptyTuple)
            writer.op(.reduce)
        }
        try refused("no tensor") { writer in
            writer.global("torch._utils", "_rebuild_parameter")
            writer.op(.emptyTuple)
            writer.op(.reduce)
        }
        try refused("is no storage") { writer in
            writer.text("file:///etc/passwd")
            writer.op(.persistentIdentifier)
        }
        try refused("a whole module was saved") { writer in
            writer.text("module")
            writer.op(.tuple1)
            writer.op(.persistentIdentifier)
        }
    }

    @Test func `programs that break the machine's rules are refused`() throws {
        for (what, instructions, words) in [
            ("an empty stack", [PickleOpcode.pop.rawValue], "empty stack"),
            ("an open mark", [PickleOpcode.mark.rawValue, PickleOpcode.stop.rawValue], "instead of one"),
            ("no mark", [PickleOpcode.tuple.rawValue], "no open mark"),
            ("two results", Array("NN.".utf8), "instead of one"),
            ("an unknown memo entry", [PickleOpcode.get1.rawValue, 9], "no entry 9"),
            ("an unknown instruction", [UInt8(ascii: "I")], "instruction 73"),
            ("an extension", [0x82, 1], "instruction 130"),
            ("a new protocol", [0x80, 6], "protocol 6"),
            ("a fill of nothing", Array("Nu".utf8), "no open mark"),
            ("a fill of a number", Array("K\u{1}(u".utf8), "no dictionary"),
            ("an odd dictionary", Array("(Nd".utf8), "lacks its value"),
            ("a huge text", [0x8D] + littleEndian(UInt64.max), "are missing"),
            ("a huge number", [0x8B] + littleEndian(UInt32.max), "are missing"),
            ("a pickle of nothing", [], "ends too early"),
            ("a number", Array("K\u{1}.".utf8), "no state dict"),
        ] {
            try expectRefusal(TorchFixture.valid.archive(pickle: [0x80, 2] + instructions).bytes, words, what)
        }
        let name = [UInt8](repeating: UInt8(ascii: "a"), count: 300)
        try expectRefusal(TorchFixture.valid.archive(pickle: [0x80, 2, 0x63] + name).bytes, "longer than 256")
    }

    @Test func `limits hold`() throws {
        func refused(_ body: [UInt8], _ words: String) throws {
            try expectRefusal(TorchFixture.valid.archive(pickle: [0x80, 2] + body).bytes, words)
        }
        try refused([UInt8](repeating: 0x4E, count: 300_000), "stack is higher")
        try refused([UInt8](repeating: 0x28, count: 300_000), "stack is higher")
        // Lists within lists, and one that contains itself: neither costs more than its bytes.
        try refused([0x5D] + (0..<100_000).flatMap { _ in [0x5D, 0x61] as [UInt8] } + [0x2E], "no state dict")
        try refused([0x5D, 0x71, 0, 0x68, 0, 0x61, 0x2E], "no state dict")
        try refused([0x5D] + (0..<100_000).flatMap { _ in [0x32, 0x86] as [UInt8] } + [0x2E], "no state dict")
    }

    @Test func `tensors that do not fit their storage are refused`() throws {
        func repeated(_ tensor: TorchFixture.Tensor) -> TorchFixture.Tensor {
            var tensor = tensor
            tensor.shape = [1 << 20, 3, 3, 3]
            tensor.strides = [0, 0, 0, 0]
            return tensor
        }
        let cases: [(String, (inout TorchFixture.Tensor) -> Void)] = [
            ("an offset behind the end", { $0.offset = 1 }), ("a negative offset", { $0.offset = -1 }),
            ("a larger shape", { $0.shape = [3, 3, 3, 3] }), ("a negative shape", { $0.shape = [-2, 3, -3, 3] }),
            ("an overflowing shape", { $0.shape = [1 << 40, 1 << 40, 3, 3] }),
            ("an empty shape with huge axes", { $0.shape = [1 << 62, 1 << 62, 0, 3] }),
            ("a huge stride", { $0.strides = [1 << 62, 9, 3, 1] }),
            ("a negative stride", { $0.strides = [-27, 9, 3, 1] }),
            ("a repeated number", { $0 = repeated($0) }),
            ("a stride too many", { $0.strides = [1, 1, 1, 1, 1] }),
            ("many axes", { $0.shape = [1, 1, 1, 1, 1, 1, 1, 1, 1] }),
        ]
        for (what, change) in cases {
            var fixture = TorchFixture.valid
            change(&fixture.tensors[0])
            try expectRefusal(fixture, "does not fit its storage features.0.weight", what)
        }
        var fixture = TorchFixture.valid
        fixture.tensors[1].storage = fixture.tensors[0].storage
        fixture.tensors[2].storage = fixture.tensors[0].storage
        fixture.tensors[2].shape = [2, 3, 3, 3]
        try expectRefusal(fixture, "numbers in storages of", "storages shared by all")
        fixture = .valid
        fixture.tensors[1].view = (offset: 1, count: 2)
        try expectRefusal(fixture.sequence(), "a view does not fit")
    }

    @Test func `storages that contradict the file are refused`() throws {
        var fixture = TorchFixture.valid
        fixture.tensors[1].storage.key = "features.0.weight"
        try expectRefusal(fixture, "described in two ways")
        fixture = .valid
        fixture.tensors[1].storage.count = 1 << 50
        try expectRefusal(fixture.archive().bytes, "has 8 bytes")
        try expectRefusal(fixture.sequence(), "is cut off")
        fixture.tensors[1].storage.count = Int.max
        try expectRefusal(fixture, "is no storage")
        fixture = .valid
        fixture.tensors[1].storage.type = "IntStorage"
        try expectRefusal(fixture, "features.0.bias has numbers of type I32")
        fixture = .valid
        fixture.tensors.append(fixture.tensors[0])
        try expectRefusal(fixture, "features.0.weight is there twice")
        let keys = TorchFixture.valid.storages.map(\.key)
        try expectRefusal(TorchFixture.valid.sequence(keys: keys + ["other"]), "storage other is not described")
        try expectRefusal(TorchFixture.valid.sequence(keys: keys + [keys[0]]), "each once")
        try expectRefusal(TorchFixture.valid.sequence(keys: Array(keys.reversed())), "of 4 numbers has 54")
        try expectRefusal(TorchFixture.valid.sequence(keys: Array(keys.dropLast())), "behind the last storage")
        try expectRefusal(TorchFixture.valid.sequence(version: 1002), "another version than 1001")
        try expectRefusal(TorchFixture.valid.sequence() + [0], "behind the last storage")
        try expectRefusal(TorchFixture.valid.pickle, "not PyTorch's")
    }

    @Test(arguments: [Float.nan, .infinity, -.infinity])
    func `a non-finite weight is refused by its tensor's name`(value: Float) throws {
        var fixture = TorchFixture.valid
        fixture.tensors[2].storage.bytes.replaceSubrange(8..<12, with: littleEndian(value.bitPattern))
        try expectRefusal(fixture, "tensor features.3.weight holds NaN or infinity")
    }

    @Test func `broken archives are refused`() throws {
        func refused(_ words: String, _ change: (inout ZipWriter) -> Void) throws {
            for isWide in [false, true] {
                var archive = TorchFixture.valid.archive()
                archive.isWide = isWide
                change(&archive)
                try expectRefusal(archive.bytes, words, "wide: \(isWide)")
            }
        }
        try refused("features.0.bias is compressed") { $0.entries[2].method = 8 }
        try refused("features.0.bias is encrypted") { $0.entries[2].flags = 1 }
        try refused("net/data.pkl does not match its checksum") { $0.entries[0].checksum ^= 1 }
        try refused("features.3.weight does not match its storage's checksum") { $0.entries[3].checksum ^= 1 }
        try refused("features.0.bias has no local header") { $0.entries[2].offsetShift = 1 }
        try refused("features.0.bias has two names") { $0.entries[2].localName = "net/data/features.0.baas" }
        try refused("overlaps another one") { $0.entries[1].sizeShift = 64 }
        try refused("net/version lies outside") { $0.entries[6].sizeShift = 64 }
        try refused("does not fit") { $0.entries[6].sizeShift = 1 << 31 }
        try refused("is there twice") { $0.add("net/version", []) }
        try refused("an archive with 2 data.pkl") { $0.add("other/data.pkl", []) }
        try refused("an archive with 0 data.pkl") { $0.entries.removeFirst() }
        try refused("storage features.0.bias is missing") { $0.entries.remove(at: 2) }
        try refused("entries instead of") { $0.count = 6 }
        try refused("data.pkl goes on") { archive in
            let pickle = archive.entries[0].content + [0]
            archive.entries.removeFirst()
            archive.add("net/data.pkl", pickle)
        }
        try refused("has 16777217 bytes") { archive in
            archive.entries.removeFirst()
            archive.add("net/data.pkl", [UInt8](repeating: 0, count: 16 << 20 | 1), checksum: 0)
        }
    }

    @Test(arguments: TorchForm.allCases) func `every truncation is refused`(form: TorchForm) throws {
        let bytes = form.bytes(.valid)
        for count in 0..<bytes.count {
            #expect(throws: ModelFileError.self, "\(count) bytes") { try imported(Array(bytes[..<count])) }
        }
    }
}
