/// Reads one pickle (Python's object serialisation) as far as files of PyTorch need it, and runs nothing.
///
/// A pickle is a program for a stack machine whose dangerous instructions call what the file names. Here a name is one of
/// `PickleGlobal`, a call is a step of this program, and everything else is refused with the name it asked for. Bytes,
/// instructions, the stack, the memo and the containers are bounded, so the cost follows from the bytes there are.
struct PickleMachine {
    /// Longest pickle; a state dict takes about 150 bytes a tensor.
    static let byteLimit = 16 << 20
    private static let stepLimit = 4 << 20
    private static let stackLimit = 1 << 18
    private static let memoLimit = 1 << 20
    private static let textLimit = 1 << 20

    private var cursor: ByteCursor
    private(set) var heap = PickleHeap()
    private var stack: [PickleValue] = []
    /// Heights of the stack at the open marks.
    private var marks: [Int] = []
    private var memo: [Int: PickleValue] = [:]

    private init(_ cursor: ByteCursor) { self.cursor = cursor }

    /// Reads the pickle at the cursor and moves it behind.
    ///
    /// - Returns: the pickled object and what it refers to.
    /// - Throws: `.malformedWeights` with the byte and the reason, such as `a pickle that calls posix.system`.
    static func read(_ cursor: inout ByteCursor) throws(ModelFileError) -> (root: PickleValue, heap: PickleHeap) {
        let end = min(cursor.end, cursor.position + byteLimit)
        var machine = PickleMachine(ByteCursor(cursor.bytes, cursor.position..<end))
        let root = try machine.run()
        cursor.skip(to: machine.cursor.position)
        return (root, machine.heap)
    }

    private mutating func run() throws(ModelFileError) -> PickleValue {
        for _ in 0..<Self.stepLimit {
            let byte = try cursor.byte()
            guard let opcode = PickleOpcode(rawValue: byte) else {
                throw cursor.fault("the pickle has the instruction \(byte), which PyTorch does not write")
            }
            if opcode == .stop {
                guard stack.count == 1, marks.isEmpty else {
                    throw cursor.fault("the pickle ends with \(stack.count) objects instead of one")
                }
                return stack[0]
            }
            try step(opcode)
            guard stack.count + marks.count <= Self.stackLimit else {
                throw cursor.fault("the pickle's stack is higher than \(Self.stackLimit)")
            }
        }
        throw cursor.fault("the pickle has more than \(Self.stepLimit) instructions")
    }

    private mutating func step(_ opcode: PickleOpcode) throws(ModelFileError) {
        switch opcode {
        case .stop: break
        case .proto:
            let version = try cursor.byte()
            guard (2...5).contains(version) else { throw cursor.fault("pickle protocol \(version), not 2 to 5") }
        case .frame: _ = try cursor.length(8)

        case .mark: marks.append(stack.count)
        case .pop: _ = try pop()
        case .popMark: _ = try popToMark()
        case .duplicate: stack.append(try top())

        case .none: stack.append(.none)
        case .newTrue: stack.append(.boolean(true))
        case .newFalse: stack.append(.boolean(false))
        case .uint8: stack.append(.integer(Int(try cursor.integer(1))))
        case .uint16: stack.append(.integer(Int(try cursor.integer(2))))
        case .int32: stack.append(.integer(Int(Int32(truncatingIfNeeded: try cursor.integer(4)))))
        case .long1: stack.append(Self.long(try cursor.take(try cursor.length(1))))
        case .long4: stack.append(Self.long(try takeContent(4)))
        case .float64:
            _ = try cursor.take(8)
            stack.append(.opaque)

        case .unicode1: stack.append(try text(1))
        case .unicode4: stack.append(try text(4))
        case .unicode8: stack.append(try text(8))
        // Names written by Python 2 are in ASCII.
        case .string1: stack.append(try text(1))
        case .string4: stack.append(try text(4))
        case .bytes1, .bytes4, .bytes8:
            _ = try takeContent(opcode == .bytes1 ? 1 : opcode == .bytes4 ? 4 : 8)
            stack.append(.opaque)

        case .emptyTuple: stack.append(.tuple(heap.add([])))
        case .emptyList: stack.append(.list(heap.add([])))
        case .emptyDictionary: stack.append(.dictionary(heap.add([])))
        case .tuple1: try makeTuple(1)
        case .tuple2: try makeTuple(2)
        case .tuple3: try makeTuple(3)
        case .tuple: stack.append(.tuple(heap.add(try popToMark())))
        case .list: stack.append(.list(heap.add(try popToMark())))
        case .dictionary:
            let place = heap.add([])
            try fill(.dictionary(place), try popToMark())
            stack.append(.dictionary(place))
        case .append: try fillTop([try pop()], isDictionary: false)
        case .appends: try fillTop(try popToMark(), isDictionary: false)
        case .setItem:
            let value = try pop()
            try fillTop([try pop(), value], isDictionary: true)
        case .setItems: try fillTop(try popToMark(), isDictionary: true)

        case .get1: try recall(1)
        case .get4: try recall(4)
        case .put1: try memorise(Int(try cursor.integer(1)))
        case .put4: try memorise(Int(try cursor.integer(4)))
        case .memoize: try memorise(memo.count)

        case .global: stack.append(.global(try global(module: try cursor.line(), name: try cursor.line())))
        case .stackGlobal:
            guard let name = try pop().text, let module = try pop().text else {
                throw cursor.fault("a pickle that calls something without a name")
            }
            stack.append(.global(try global(module: module, name: name)))
        case .reduce, .newObject: try call()
        case .build: try restoreState()
        case .persistentIdentifier: stack.append(.storage(try heap.storage(try pop(), cursor)))
        }
    }

    // MARK: The stack

    private func top() throws(ModelFileError) -> PickleValue {
        guard let value = stack.last, stack.count > marks.last ?? 0 else {
            throw cursor.fault("the pickle takes an object from an empty stack")
        }
        return value
    }

    private mutating func pop() throws(ModelFileError) -> PickleValue {
        let value = try top()
        stack.removeLast()
        return value
    }

    private mutating func popToMark() throws(ModelFileError) -> [PickleValue] {
        guard let mark = marks.popLast() else { throw cursor.fault("the pickle has no open mark") }
        defer { stack.removeSubrange(mark...) }
        return Array(stack[mark...])
    }

    // MARK: Numbers and text

    private static func long(_ bytes: ArraySlice<UInt8>) -> PickleValue {
        guard bytes.count <= 8 else { return .longInteger(Array(bytes)) }
        let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
        return .integer(bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    private mutating func takeContent(_ lengthByteCount: Int) throws(ModelFileError) -> ArraySlice<UInt8> {
        let length = try cursor.length(lengthByteCount)
        guard length <= Self.textLimit else { throw cursor.fault("the pickle holds a text of \(length) bytes") }
        return try cursor.take(length)
    }

    private mutating func text(_ lengthByteCount: Int) throws(ModelFileError) -> PickleValue {
        let content = try takeContent(lengthByteCount)
        return String(validating: content, as: UTF8.self).map { .text($0) } ?? .opaque
    }

    // MARK: Containers and the memo

    private mutating func makeTuple(_ count: Int) throws(ModelFileError) {
        var values: [PickleValue] = []
        for _ in 0..<count { values.append(try pop()) }
        stack.append(.tuple(heap.add(values.reversed())))
    }

    private mutating func fillTop(_ values: [PickleValue], isDictionary: Bool) throws(ModelFileError) {
        switch (try top(), isDictionary) {
        case (.list, false), (.dictionary, true): try fill(try top(), values)
        default: throw cursor.fault("the pickle fills something that is no \(isDictionary ? "dictionary" : "list")")
        }
    }

    private mutating func fill(_ container: PickleValue, _ values: [PickleValue]) throws(ModelFileError) {
        switch container {
        case .dictionary(let place):
            guard values.count.isMultiple(of: 2) else { throw cursor.fault("a key in the pickle lacks its value") }
            heap.append(values, to: place)
        case .list(let place): heap.append(values, to: place)
        default: break
        }
    }

    private mutating func memorise(_ key: Int) throws(ModelFileError) {
        memo[key] = try top()
        guard memo.count <= Self.memoLimit else { throw cursor.fault("the pickle's memo is too large") }
    }

    private mutating func recall(_ keyByteCount: Int) throws(ModelFileError) {
        let key = Int(try cursor.integer(keyByteCount))
        guard let value = memo[key] else { throw cursor.fault("the pickle's memo has no entry \(key)") }
        stack.append(value)
    }

    // MARK: Objects

    private func global(module: String, name: String) throws(ModelFileError) -> PickleGlobal {
        if let known = PickleGlobal(module: module, name: name) { return known }
        throw cursor.fault("a pickle that calls \(printable(module)).\(printable(name))")
    }

    /// `REDUCE` and `NEWOBJ`: the callable and a tuple of its arguments become an object.
    private mutating func call() throws(ModelFileError) {
        guard case .tuple(let place) = try pop() else { throw cursor.fault("a pickle that calls without arguments") }
        guard case .global(let global) = try pop() else {
            throw cursor.fault("a pickle that calls something it made itself")
        }
        stack.append(try heap.call(global, heap.containers[place], cursor))
    }

    /// `BUILD`: attributes such as a state dict's versions and a tensor's hooks are dropped.
    private mutating func restoreState() throws(ModelFileError) {
        _ = try pop()
        switch try top() {
        case .dictionary, .tensor: break
        default: throw cursor.fault("a pickle that sets the state of something that is no tensor and no dictionary")
        }
    }
}
