import CIndexKernels
import Platform
import Storage
import TestSupport
import Testing

@testable import VectorIndex

/// The bytes that README.md promises.
struct FormatTests {
    @Test func theVectorRowIsAsSpecified() throws {
        let fixture = try IndexFixture(dimension: 2)
        let slot = try #require(try fixture.add([[0.6, 0.8]]).first)
        let row = try #require(try row(slot.rawValue, "vec", fixture))
        #expect(row.count == 16 + 4)
        // 0.6 and 0.8 in binary16.
        #expect(Array(row[16...]) == [0xCD, 0x38, 0x66, 0x3A])
        #expect(row[4] == UInt8(slot.level))
        let checksum = row[0..<4].enumerated().reduce(UInt32(0)) { $0 | UInt32($1.element) << (8 * $1.offset) }
        let hash = row[8..<16].enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << (8 * $1.offset) }
        #expect(checksum == CRC32C.checksum(Array(row[4...]).span.bytes))
        #expect(hash == CIndexKernels_xxh3_64(Array(row[16...]), 4))
        let operation = try #require(try self.row(UInt64(1), "ops", fixture))
        #expect(operation.prefix(5) == [1, 0, 0, 0, 0])
        #expect(operation.count == 9)
    }

    @Test func theConfigurationRowIsAsSpecified() throws {
        let fixture = try IndexFixture(dimension: 300)
        let row = try #require(try row("cfg", "meta", fixture, flags: []))
        #expect(row == [0x4C, 0x49, 0x53, 0x58, 2, 0, 0x2C, 1, 0, 0, 16, 32, 128, 0, 0, 0, 0, 0, 0x80, 0x3F])
    }

    @Test(arguments: [0, 1, 16]) func linkRowsComeBack(count: Int) {
        let links = (0..<count).map { UInt32($0 * 7) }
        for level in [0, 1] {
            let row = LinkRow.bytes(links, Slot(rawValue: 9 << level), level: level)
            #expect(row.count == (level == 0 ? 132 : 68))
            #expect(read(row, level: level) == links)
            #expect(read(Array(row.dropLast()), level: level) == nil)
            #expect(read([200] + row.dropFirst(), level: level) == nil)
        }
    }

    @Test func stateAndQuantizerRowsComeBack() throws {
        for entry in [nil, Slot(rawValue: 77)] {
            let state = StateRow(graphSequence: 1 << 40, entry: entry)
            let bytes = state.bytes
            let back = try StateRow(bytes.span.bytes)
            #expect(back == state)
        }
        let quantizer = ScalarQuantizer(dimension: 9, zeroPoint: 128, scale: 0.001)
        let row = QuantizerRow.bytes(quantizer)
        let found = QuantizerRow.quantizer(row.span.bytes, dimension: 9)
        let back = try #require(found)
        #expect(back.tag == quantizer.tag)
        #expect(QuantizerRow.bytes(back) == row)
        let last = StateRow(graphSequence: .max, entry: nil).bytes
        #expect(throws: IndexError.damagedFormat(row: "state")) { _ = try StateRow(last.span.bytes) }
        for count in [0, 8, 20, 40] {
            let noise = [UInt8](repeating: 255, count: count)
            let refused = QuantizerRow.quantizer(noise.span.bytes, dimension: 9)
            #expect(refused == nil)
        }
    }

    @Test func aStoreOfAnotherDimensionOrVersionIsRefused() throws {
        let fixture = try IndexFixture(dimension: 4)
        #expect(throws: IndexError.dimension(got: 5, expected: 4)) {
            _ = try IndexFixture.open(fixture.environment, 5, fixture.parameters)
        }
        try write("cfg", [0x4C, 0x49, 0x53, 0x58, 9] + [UInt8](repeating: 0, count: 15), "meta", [], fixture)
        #expect(throws: IndexError.unsupportedVersion(9)) { try fixture.reopen() }
        try write("cfg", [1, 2, 3], "meta", [], fixture)
        #expect(throws: IndexError.damagedFormat(row: "cfg")) { try fixture.reopen() }
        try write("cfg", ConfigurationRow(dimension: 4).bytes(fixture.parameters), "meta", [], fixture)
        try write("state", [1, 2], "meta", [], fixture)
        // That costs linking only.
        try fixture.reopen()
    }

    @Test func aChangedByteOfLinksOrOfAnOperationIsFound() throws {
        for level in [0, 1] {
            let slot = Slot(rawValue: 1234)
            let row = LinkRow.bytes([1, 2, 300_000], slot, level: level)
            #expect(isIntact(row, slot, level))
            #expect(!isIntact(row, Slot(rawValue: 1235), level))
            for position in row.indices {
                for change in UInt8(1)...255 {
                    var changed = row
                    changed[position] ^= change
                    // Zero stands for no checksum at all.
                    if changed[2] == 0, changed[3] == 0 { continue }
                    #expect(!isIntact(changed, slot, level), "\(position) \(change)")
                }
            }
        }
        let row = OperationRow(.add, Slot(rawValue: 77)).bytes
        for position in row.indices {
            var changed = row
            changed[position] ^= 0x40
            let isRead = OperationRow(changed.span.bytes) != nil
            #expect(!isRead)
        }
    }

    private func isIntact(_ row: [UInt8], _ slot: Slot, _ level: Int) -> Bool {
        LinkRow.isIntact(row.span.bytes, slot, level: level)
    }

    @Test func aDamagedVectorIsNamedAndLeftOut() throws {
        let fixture = try IndexFixture(dimension: 32)
        var source = FeatureSource(dimension: 32)
        let vectors = source.next(20)
        let slots = try fixture.add(vectors)
        var row = try #require(try row(slots[7].rawValue, "vec", fixture))
        row[30] ^= 4
        try write(slots[7].rawValue, row, "vec", .integerKey, fixture)
        try fixture.reopen()
        #expect(fixture.index.statistics.damagedSlots == [slots[7]])
        #expect(fixture.index.statistics.vectorCount == 19)
        let transaction = try ReadTransaction(fixture.environment)
        #expect(throws: IndexError.damagedVector(slots[7])) { try fixture.index.vector(slots[7], in: transaction) }
        let hits = try fixture.index.search(vectors[7], count: 20, transaction: transaction)
        #expect(hits.count == 19)
        #expect(!hits.contains { $0.slot == slots[7] })
    }

    @Test func nothingIsTrainedOnADamagedVector() throws {
        let fixture = try IndexFixture(dimension: 32)
        var source = FeatureSource(dimension: 32)
        let slots = try fixture.add(source.next(250))
        var row = try #require(try row(slots[7].rawValue, "vec", fixture))
        // All exponent bits: not numbers.
        for index in 16..<row.count { row[index] = 0x7F }
        try write(slots[7].rawValue, row, "vec", .integerKey, fixture)
        try fixture.reopen()
        let late = source.next(20)
        let added = try fixture.add(late)
        #expect(fixture.index.state.codes.quantizer.scale.isFinite)
        for (vector, slot) in zip(late, added) { #expect(try fixture.search(vector, 1).first?.slot == slot) }
    }

    @Test func malformedLinksAreMadeAgain() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let vectors = source.next(300)
        let slots = try fixture.add(vectors)
        try fixture.link()
        try fixture.checkpoint()
        try write(slots[3].rawValue, [9, 9, 9], "adj0", .integerKey, fixture)
        try write(
            slots[4].rawValue,
            LinkRow.bytes([4_000_000_000, 5], slots[4], level: 0),
            "adj0",
            .integerKey,
            fixture
        )
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == 1)
        try fixture.link()
        for (vector, slot) in zip(vectors, slots) { #expect(try fixture.search(vector, 1).first?.slot == slot) }
    }

    @Test func damagedOperationsCostLinkingAndNeverTheCollection() throws {
        let fixture = try IndexFixture(dimension: 32, isGraphForced: true)
        var source = FeatureSource(dimension: 32)
        let vectors = source.next(300)
        let slots = try fixture.add(vectors)
        try fixture.link()
        try fixture.checkpoint()
        let late = source.next(3)
        let added = try fixture.add(late)
        try write(UInt64(301), [7, 7, 7, 7, 7], "ops", .integerKey, fixture)
        try write(UInt64(302), [], "ops", .integerKey, fixture)
        try write(UInt64.max, [1, 0, 0, 0, 0], "ops", .integerKey, fixture)
        try fixture.reopen()
        try fixture.add(source.next(5))
        try fixture.link()
        for (vector, slot) in zip(vectors + late, slots + added) {
            #expect(try fixture.search(vector, 1).first?.slot == slot)
        }
        try fixture.checkpoint()
        #expect(!fixture.index.needsCheckpoint)
        try fixture.reopen()
        #expect(fixture.index.statistics.pendingCount == 0)
    }

    private func read(_ row: [UInt8], level: Int) -> [UInt32]? { LinkRow.links(row.span.bytes, level: level) }

    private func row(
        _ key: some StorageBytes,
        _ name: String,
        _ fixture: IndexFixture,
        flags: DatabaseFlags = .integerKey
    ) throws -> [UInt8]? {
        let transaction = try WriteTransaction(fixture.environment)
        return try transaction.get(key, in: try transaction.openDatabase(name, flags))
    }

    private func write(
        _ key: some StorageBytes,
        _ value: [UInt8],
        _ name: String,
        _ flags: DatabaseFlags,
        _ fixture: IndexFixture
    ) throws {
        let transaction = try WriteTransaction(fixture.environment)
        try transaction.put(key, value, in: try transaction.openDatabase(name, flags))
        try transaction.commit()
    }
}
