/// The instructions of Python's pickles, protocols 2 to 5, that occur in files of PyTorch; names as in Python's `pickletools`.
enum PickleOpcode: UInt8 {
    // The stack.
    case mark = 0x28
    case stop = 0x2E
    case pop = 0x30
    case popMark = 0x31
    case duplicate = 0x32

    // Numbers and constants.
    case float64 = 0x47
    case int32 = 0x4A
    case uint8 = 0x4B
    case uint16 = 0x4D
    case none = 0x4E
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8A
    case long4 = 0x8B

    // Text and bytes: a length of 1, 4 or 8 bytes, then the content.
    case bytes4 = 0x42
    case bytes1 = 0x43
    case string4 = 0x54
    case string1 = 0x55
    case unicode4 = 0x58
    case unicode1 = 0x8C
    case unicode8 = 0x8D
    case bytes8 = 0x8E

    // Containers.
    case emptyTuple = 0x29
    case emptyList = 0x5D
    case append = 0x61
    case dictionary = 0x64
    case appends = 0x65
    case list = 0x6C
    case setItem = 0x73
    case tuple = 0x74
    case setItems = 0x75
    case emptyDictionary = 0x7D
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87

    // The memo.
    case get1 = 0x68
    case get4 = 0x6A
    case put1 = 0x71
    case put4 = 0x72
    case memoize = 0x94

    // Python objects.
    case persistentIdentifier = 0x51
    case reduce = 0x52
    case build = 0x62
    case global = 0x63
    case newObject = 0x81
    case stackGlobal = 0x93

    // The frame around it.
    case proto = 0x80
    case frame = 0x95
}
