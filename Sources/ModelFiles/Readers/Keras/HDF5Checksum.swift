/// The checksum of the newer kinds of HDF5 blocks: Bob Jenkins's `hashlittle` ("lookup3", 2006) with the initial value 0.
enum HDF5Checksum {
    /// - Complexity: O(*n*)
    static func lookup3(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        let start = UInt32(truncatingIfNeeded: 0xDEAD_BEEF &+ bytes.count)
        var (a, b, c) = (start, start, start)
        var rest = bytes
        while rest.count > 12 {
            add(rest.prefix(12), &a, &b, &c)
            mix(&a, &b, &c)
            rest = rest.dropFirst(12)
        }
        // Nothing to stir in for no bytes at all.
        if rest.isEmpty { return c }
        add(rest, &a, &b, &c)
        finish(&a, &b, &c)
        return c
    }

    /// Adds up to 12 bytes, as three little-endian words with zeros for what is missing.
    private static func add(_ part: ArraySlice<UInt8>, _ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        for (index, byte) in part.enumerated() {
            let value = UInt32(byte) << UInt32(8 * (index & 3))
            switch index >> 2 {
            case 0: a &+= value
            case 1: b &+= value
            default: c &+= value
            }
        }
    }

    private static func mix(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        a = (a &- c) ^ rotate(c, 4)
        c &+= b
        b = (b &- a) ^ rotate(a, 6)
        a &+= c
        c = (c &- b) ^ rotate(b, 8)
        b &+= a
        a = (a &- c) ^ rotate(c, 16)
        c &+= b
        b = (b &- a) ^ rotate(a, 19)
        a &+= c
        c = (c &- b) ^ rotate(b, 4)
        b &+= a
    }

    private static func finish(_ a: inout UInt32, _ b: inout UInt32, _ c: inout UInt32) {
        c = (c ^ b) &- rotate(b, 14)
        a = (a ^ c) &- rotate(c, 11)
        b = (b ^ a) &- rotate(a, 25)
        c = (c ^ b) &- rotate(b, 16)
        a = (a ^ c) &- rotate(c, 4)
        b = (b ^ a) &- rotate(a, 14)
        c = (c ^ b) &- rotate(b, 24)
    }

    private static func rotate(_ value: UInt32, _ count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
}
