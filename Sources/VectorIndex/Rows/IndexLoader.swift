internal import CIndexKernels
internal import Storage

/// Builds the mirror from a store: the steps of opening, and what they find.
struct IndexLoader {
    let dimension: Int
    let databases: IndexDatabases
    let kernels: DispatchTable
    let parameters: IndexParameters
    let graph = GraphStore()
    let exactMatches = ExactMatchTable()

    private(set) var writer = WriterState()
    private(set) var liveCount = 0
    private(set) var damaged: [Slot] = []
    /// Slots without a vector: free after the next checkpoint, which deletes what rows of links they have.
    private(set) var absent: [Slot] = []
    /// Live slots without links.
    private(set) var pending: [UInt32] = []
    /// Links were left out, or the last checkpoint did not see everything: some vectors may be hard to reach.
    private(set) var lostLinks = false

    /// Makes the databases when they are missing.
    init(
        dimension: Int,
        parameters: IndexParameters,
        kernels: DispatchTable,
        transaction: borrowing WriteTransaction
    ) throws(IndexError) {
        self.dimension = dimension
        self.parameters = parameters
        self.kernels = kernels
        do throws(StorageError) { databases = try IndexDatabases(transaction) } catch { throw .storage(error) }
    }

    /// Reads everything: vectors, links, and as pending what was added after the last checkpoint.
    mutating func load(in transaction: borrowing WriteTransaction) throws(IndexError) -> IndexState {
        try checkConfiguration(in: transaction)
        let codes = try loadVectors(in: transaction)
        try loadLinks(in: transaction)
        if let entry = writer.durable.entry, entry.rawValue < graph.slotCount,
            graph.flags(entry) & CINDEXKERNELS_LINKED != 0
        {
            graph.entry = entry
        } else {
            graph.entry = graph.highestLinked()
        }
        return IndexState(self, codes)
    }

    /// Writes the configuration of a new store, or compares it with that of an old one.
    private mutating func checkConfiguration(in transaction: borrowing WriteTransaction) throws(IndexError) {
        var version: UInt16?
        if let row = try get(ConfigurationRow.key, in: transaction) {
            let stored = try ConfigurationRow(row.span.bytes)
            guard stored.dimension == dimension else {
                throw .dimension(got: dimension, expected: stored.dimension)
            }
            version = stored.version
        }
        // A store of an earlier version is one of this version whose codes are missing.
        if version != ConfigurationRow.version {
            do throws(StorageError) {
                let row = ConfigurationRow(dimension: dimension).bytes(parameters)
                try transaction.put(ConfigurationRow.key, row, in: databases.meta)
            } catch { throw .storage(error) }
        }
        if let row = try get(StateRow.key, in: transaction) {
            // Without it every operation still in the store counts as not linked yet: that costs linking, no vector.
            do throws(IndexError) { writer.durable = try StateRow(row.span.bytes) } catch { lostLinks = true }
        }
    }

    /// Reads the stored codes; then, unless the store is large and they are all there, reads and checks every vector,
    /// and encodes those without an intact code.
    private mutating func loadVectors(in transaction: borrowing WriteTransaction) throws(IndexError) -> CodeStore {
        var total = 0
        do throws(StorageError) { total = try transaction.count(of: databases.vectors) } catch { throw .storage(error) }
        let quantizer = try quantizer(in: transaction)
        let codes = CodeStore(quantizer: quantizer, kernels: kernels)
        var loaded = SlotSet()
        try loadCodes(in: transaction, into: codes, &loaded)
        if writer.nextSlot > 0, liveCount == total, total >= parameters.checkedBelow {
            writer.storedQuantizer = quantizer.tag
        } else {
            try checkVectors(in: transaction, codes, loaded)
        }
        graph.slotCount = writer.nextSlot
        for slot in absent { CIndexKernels_set_dirty(graph.chunks, slot.rawValue) }
        writer.nextTraining = CodeWriter.nextTraining(after: liveCount)
        return codes
    }

    /// Takes every intact code; `loaded` says whose.
    private mutating func loadCodes(
        in transaction: borrowing WriteTransaction,
        into codes: CodeStore,
        _ loaded: inout SlotSet
    ) throws(IndexError) {
        var next: UInt32 = 0
        var absent: [Slot] = []
        try transaction.scan(databases.codes) { (key, row) throws(IndexError) in
            guard let number = key.integer(at: 0, as: UInt32.self), number < GraphStore.slotLimit else {
                throw .damagedFormat(row: "code key")
            }
            let slot = Slot(rawValue: number)
            absent += (next..<number).map { Slot(rawValue: $0) }
            next = number + 1
            guard let stored = CodeRow.read(row, slot: slot, quantizer: codes.quantizer) else { return true }
            graph.prepare(slot)
            row.withUnsafeBytes { bytes in
                guard let base = bytes.baseAddress else { return }
                codes.write(code: base + CodeRow.headerByteCount, stored.loss, to: slot)
            }
            exactMatches.insert(stored.hash, slot)
            graph.add(CINDEXKERNELS_LIVE, to: slot)
            loaded.insert(slot)
            liveCount += 1
            return true
        }
        self.absent = absent
        writer.nextSlot = next
    }

    /// Reads every vector: leaves damaged ones out, encodes those without a code, and drops codes without a vector.
    private mutating func checkVectors(
        in transaction: borrowing WriteTransaction,
        _ codes: CodeStore,
        _ loaded: SlotSet
    ) throws(IndexError) {
        let buffer = UnsafeMutablePointer<Float>.allocate(capacity: dimension)
        defer { buffer.deallocate() }
        var stray = loaded
        var isWhole = true
        var next: UInt32 = 0
        var live = liveCount
        var absent: [Slot] = []
        var damaged: [Slot] = []
        /// A code that no intact vector stands behind.
        func drop(_ slot: Slot, _ hash: UInt64) {
            graph.remove(CINDEXKERNELS_LIVE, from: slot)
            exactMatches.remove(hash, slot)
            live -= 1
            isWhole = false
        }
        try transaction.scan(databases.vectors) { (key, row) throws(IndexError) in
            guard let number = key.integer(at: 0, as: UInt32.self), number < GraphStore.slotLimit else {
                throw .damagedFormat(row: "vec key")
            }
            let slot = Slot(rawValue: number)
            absent += (next..<number).map { Slot(rawValue: $0) }
            next = number + 1
            stray.remove(slot)
            let isLoaded = loaded.contains(slot)
            guard VectorRow.isIntact(row, dimension: dimension) else {
                damaged.append(slot)
                if isLoaded { drop(slot, try codeHash(slot, in: transaction)) } else { graph.prepare(slot) }
                return true
            }
            guard !isLoaded else { return true }
            isWhole = false
            graph.prepare(slot)
            VectorRow.withHalves(row) { kernels.table.pointee.convert_f16_f32($0, dimension, buffer) }
            codes.write(buffer, to: slot)
            exactMatches.insert(VectorRow.hash(row), slot)
            graph.add(CINDEXKERNELS_LIVE, to: slot)
            live += 1
            return true
        }
        try stray.forEach { (slot) throws(IndexError) in
            drop(slot, try codeHash(slot, in: transaction))
            if slot.rawValue >= next { absent.append(slot) }
        }
        self.absent = absent
        self.damaged = damaged
        liveCount = live
        writer.nextSlot = max(writer.nextSlot, next)
        writer.storedQuantizer = isWhole && live > 0 ? codes.quantizer.tag : nil
    }

    /// The hash in a slot's intact code row.
    private func codeHash(_ slot: Slot, in transaction: borrowing WriteTransaction) throws(IndexError) -> UInt64 {
        do throws(StorageError) {
            return try transaction.withValue(of: slot.rawValue, in: databases.codes) { $0.integer(at: 8) ?? 0 } ?? 0
        } catch { throw .storage(error) }
    }

    /// Reads the links of the last checkpoint. Slots changed since, and slots whose links are malformed, become
    /// pending.
    private mutating func loadLinks(in transaction: borrowing WriteTransaction) throws(IndexError) {
        let (changed, isReadable) = try loadOperations(in: transaction)
        var lost = lostLinks || !changed.isEmpty || !isReadable
        let slotCount = graph.slotCount

        /// Stores a list without the links that lead nowhere.
        func store(_ links: [UInt32], _ slot: Slot, level: Int) {
            let valid = links.filter { link in
                link < slotCount && link != slot.rawValue && graph.isLive(Slot(rawValue: link))
                    && Slot(rawValue: link).level >= level
            }
            graph.setList(slot, level: level, valid)
            guard valid.count < links.count else { return }
            lost = true
            CIndexKernels_set_dirty(graph.chunks, slot.rawValue)
        }

        try transaction.scan(databases.baseLinks) { (key, row) throws(IndexError) in
            guard let slot = key.integer(at: 0, as: UInt32.self).map(Slot.init(rawValue:)), slot.rawValue < slotCount,
                graph.isLive(slot), !changed.contains(slot)
            else { return true }
            guard let links = LinkRow.links(row, level: 0) else {
                lost = true
                return true
            }
            store(links, slot, level: 0)
            graph.add(CINDEXKERNELS_LINKED, to: slot)
            return true
        }
        try transaction.scan(databases.upperLinks) { (key, row) throws(IndexError) in
            guard let number = key.integer(at: 0, as: UInt64.self) else { return true }
            let slot = Slot(rawValue: UInt32(truncatingIfNeeded: number))
            let level = Int(number >> 32)
            guard slot.rawValue < slotCount, level >= 1, level <= slot.level,
                graph.flags(slot) & CINDEXKERNELS_LINKED != 0, let links = LinkRow.links(row, level: level)
            else { return true }
            store(links, slot, level: level)
            return true
        }
        graph.forEachBlock(CINDEXKERNELS_LIVE) { slots in
            pending += slots.filter { graph.flags(Slot(rawValue: $0)) & CINDEXKERNELS_LINKED == 0 }
        }
        lostLinks = lost
    }

    /// The slots changed since the last checkpoint, and whether every operation could be read; sets the last one's
    /// number.
    ///
    /// Operations are hints. Without one, lists of its slot that an unfinished checkpoint wrote are taken as they are,
    /// and the maintenance that follows links what nothing leads to.
    private mutating func loadOperations(
        in transaction: borrowing WriteTransaction
    ) throws(IndexError) -> (changed: Set<Slot>, isReadable: Bool) {
        var changed: Set<Slot> = []
        var isReadable = true
        var misnumbered: [[UInt8]] = []
        var last = writer.durable.graphSequence
        let first = last + 1
        try transaction.scan(databases.operations, from: first) { (key, row) throws(IndexError) in
            if let sequence = key.integer(at: 0, as: UInt64.self), sequence < StateRow.sequenceLimit {
                last = sequence
            } else {
                misnumbered.append(key.copied)
            }
            if let operation = OperationRow(row) { changed.insert(operation.slot) } else { isReadable = false }
            return true
        }
        // The next operation's number has to be the highest.
        do throws(StorageError) {
            for key in misnumbered { try transaction.delete(key, in: databases.operations) }
        } catch { throw .storage(error) }
        writer.lastSequence = last
        return (changed, isReadable)
    }

    /// The stored quantizer; trained from a sample when there is none.
    private func quantizer(in transaction: borrowing WriteTransaction) throws(IndexError) -> ScalarQuantizer {
        if let row = try get(QuantizerRow.key, in: transaction),
            let quantizer = QuantizerRow.quantizer(row.span.bytes, dimension: dimension)
        {
            return quantizer
        }
        let reader = VectorReader(databases: databases, dimension: dimension, kernels: kernels)
        let end = try lastKey(in: transaction).map { $0 + 1 } ?? 0
        let sample = try reader.sample(below: end, in: transaction)
        return QuantizerTrainer(dimension: dimension, sample: sample, kernels: kernels).quantizer(current: nil)
    }

    /// The highest slot with a vector.
    private func lastKey(in transaction: borrowing WriteTransaction) throws(IndexError) -> UInt32? {
        do throws(StorageError) {
            return try transaction.withCursor(in: databases.vectors) { (cursor) throws(StorageError) -> UInt32? in
                guard try cursor.moveToLast() else { return nil }
                return try cursor.withCurrent { key, _ in key.integer(at: 0, as: UInt32.self) } ?? nil
            }
        } catch { throw .storage(error) }
    }

    private func get(
        _ key: String,
        in transaction: borrowing WriteTransaction
    ) throws(IndexError) -> [UInt8]? {
        do throws(StorageError) { return try transaction.get(key, in: databases.meta) } catch { throw .storage(error) }
    }
}
