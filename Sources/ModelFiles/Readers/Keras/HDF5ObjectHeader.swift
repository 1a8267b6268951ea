/// What an HDF5 file says about one object: messages, collected from the header and its continuations.
struct HDF5ObjectHeader {
    /// The messages that are read, by their numbers in the format; others are skipped.
    enum Kind: Int {
        case dataspace = 0x01
        case linkInfo = 0x02
        case datatype = 0x03
        case link = 0x06
        case externalFiles = 0x07
        case layout = 0x08
        case filters = 0x0B
        case attribute = 0x0C
        case symbolTable = 0x11
    }

    struct Message {
        let kind: Kind
        /// Its data is elsewhere: in another object, or in a heap of shared messages.
        let isShared: Bool
        let data: [UInt8]
    }

    /// The object, for messages.
    let name: String
    private let file: String
    private(set) var messages: [Message] = []
    /// Continuations not read yet.
    private var continuations: [(address: Int, count: Int)] = []

    private static let continuation = 0x10

    /// Reads version 1 or 2 of the object that messages call `name`.
    init(_ hdf5: inout HDF5File, at address: Int, name: String) throws(ModelFileError) {
        self.name = name
        file = hdf5.file
        var start = try hdf5.peek(at: address, count: 6, "the object header of \(name)")
        if try start.byte() == UInt8(ascii: "O") {
            try readVersion2(&hdf5, at: address)
        } else {
            try readVersion1(&hdf5, at: address)
        }
    }

    private var header: String { "the object header of \(name)" }

    /// An error about this object.
    func fault(_ what: String) -> ModelFileError { .malformedWeights(file: file, detail: "\(name) \(what)") }

    // MARK: - Version 1

    private mutating func readVersion1(_ hdf5: inout HDF5File, at address: Int) throws(ModelFileError) {
        var prefix = try hdf5.block(at: address, count: 16, header)
        _ = try prefix.version(1...1)
        try prefix.skip(7)
        let count = try prefix.integer(4)
        var part = try hdf5.block(at: address + 16, count: count, header)
        try readVersion1(&part)
        while let next = continuations.popLast() {
            var part = try hdf5.block(at: next.address, count: next.count, "a continuation of \(header)")
            try readVersion1(&part)
        }
    }

    private mutating func readVersion1(_ part: inout HDF5Fields) throws(ModelFileError) {
        while part.rest >= 8 {
            let type = try part.integer(2)
            let count = try part.integer(2)
            let flags = try part.byte()
            try part.skip(3)
            try add(type, flags, try part.bytes(count))
        }
    }

    // MARK: - Version 2

    private mutating func readVersion2(_ hdf5: inout HDF5File, at address: Int) throws(ModelFileError) {
        var start = try hdf5.peek(at: address, count: 6, header)
        try start.signature("OHDR")
        _ = try start.version(2...2)
        let flags = try start.byte()
        // Four times of 4 bytes, and the limits between compact and dense attributes.
        let optional = (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
        let width = 1 << Int(flags & 3)
        var length = try hdf5.peek(at: address, count: 6 + optional + width, header)
        try length.skip(6 + optional)
        let count = try length.integer(width)
        let prefixCount = 6 + optional + width
        guard count <= hdf5.bytes.count else { throw start.fault("has \(count) bytes of messages") }
        var part = try hdf5.block(at: address, count: prefixCount + count + 4, header)
        try part.takeChecksum()
        try part.skip(prefixCount)
        try readVersion2(&part, flags: flags)
        while let next = continuations.popLast() {
            var part = try hdf5.block(at: next.address, count: next.count, "a continuation of \(header)")
            try part.signature("OCHK")
            try part.takeChecksum()
            try readVersion2(&part, flags: flags)
        }
    }

    private mutating func readVersion2(_ part: inout HDF5Fields, flags: UInt8) throws(ModelFileError) {
        let hasOrder = flags & 4 != 0
        // A gap too small for a message may stand at the end.
        while part.rest >= (hasOrder ? 6 : 4) {
            let type = try part.integer(1)
            let count = try part.integer(2)
            let flags = try part.byte()
            if hasOrder { try part.skip(2) }
            try add(type, flags, try part.bytes(count))
        }
    }

    // MARK: - Messages

    private mutating func add(_ type: Int, _ flags: UInt8, _ data: [UInt8]) throws(ModelFileError) {
        if type == Self.continuation {
            var fields = HDF5Fields(data, block: "a continuation message of \(name)", file: file)
            guard let address = try fields.address() else { throw fields.fault("has no address") }
            let count = try fields.integer(8)
            guard count > 0 else { throw fields.fault("names an empty block") }
            continuations.append((address, count))
        } else if let kind = Kind(rawValue: type) {
            messages.append(Message(kind: kind, isShared: flags & 2 != 0, data: data))
        }
    }

    func has(_ kind: Kind) -> Bool { messages.contains { $0.kind == kind } }

    /// All messages of a kind as fields.
    func all(_ kind: Kind) throws(ModelFileError) -> [HDF5Fields] {
        var found: [HDF5Fields] = []
        for message in messages where message.kind == kind {
            guard !message.isShared else { throw fault("shares its \(kind) message with other objects: not read") }
            found.append(HDF5Fields(message.data, block: "the \(kind) message of \(name)", file: file))
        }
        return found
    }

    /// The only message of a kind; nil when there is none.
    func only(_ kind: Kind) throws(ModelFileError) -> HDF5Fields? {
        let found = try all(kind)
        guard found.count <= 1 else { throw fault("has \(found.count) \(kind) messages") }
        return found.first
    }
}
