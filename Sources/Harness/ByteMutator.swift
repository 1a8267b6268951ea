/// Damages files at random, for fuzzing. The damage follows from the seed and a number alone, so a finding can be repeated.
package struct ByteMutator: Sendable {
    private let files: [[UInt8]]
    private let seed: UInt64

    /// Takes sound files, none of them empty and at least one.
    package init(files: [[UInt8]], seed: UInt64) {
        precondition(!files.isEmpty && files.allSatisfy { !$0.isEmpty }, "\(files.count) files to damage")
        self.files = files
        self.seed = seed
    }

    /// One of the files with one to eight kinds of damage.
    package func damaged(_ number: Int) -> [UInt8] {
        var generator = SeededRandom(seed: SeededRandom.mix(seed) &+ UInt64(truncatingIfNeeded: number))
        var bytes = files[Int.random(in: files.indices, using: &generator)]
        repeat {
            let donor = files[Int.random(in: files.indices, using: &generator)]
            damage(&bytes, donor, &generator)
        } while !bytes.isEmpty && Bool.random(using: &generator) && Bool.random(using: &generator)
        return bytes
    }

    /// Lengths and counts at which checks go wrong.
    private static let borders: [UInt64] = [
        0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x1_0000, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF,
        0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF,
    ]

    private func damage(_ bytes: inout [UInt8], _ donor: [UInt8], _ generator: inout SeededRandom) {
        let place = Int.random(in: bytes.indices, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[place] = .random(in: 0...255, using: &generator)
        // A byte that means something here, such as another opcode.
        case 2: bytes[place] = bytes[Int.random(in: bytes.indices, using: &generator)]
        case 3:
            let value = Self.borders[Int.random(in: Self.borders.indices, using: &generator)]
            let width = 1 << Int.random(in: 0...3, using: &generator)
            let isLittle = Bool.random(using: &generator)
            for index in 0..<min(width, bytes.count - place) {
                bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * (isLittle ? index : width - 1 - index)))
            }
        case 4:
            let step = UInt8.random(in: 1...9, using: &generator)
            bytes[place] = Bool.random(using: &generator) ? bytes[place] &+ step : bytes[place] &- step
        case 5: bytes.removeSubrange(place...)
        case 6: bytes.removeSubrange(range(of: bytes, from: place, &generator))
        case 7: bytes.insert(contentsOf: Array(bytes[range(of: bytes, from: place, &generator)]), at: place)
        case 8:
            let start = Int.random(in: donor.indices, using: &generator)
            let part = donor[range(of: donor, from: start, &generator)]
            bytes.replaceSubrange(place..<min(bytes.count, place + part.count), with: part)
        default:
            bytes.removeSubrange(place...)
            bytes.append(contentsOf: donor[min(donor.count, place)...])
        }
    }

    /// Up to 64 bytes from `start`.
    private func range(of bytes: [UInt8], from start: Int, _ generator: inout SeededRandom) -> Range<Int> {
        start..<min(bytes.count, start + Int.random(in: 1...64, using: &generator))
    }
}
