internal import CLMDB
internal import Glibc
internal import Platform

/// `MDB_env`, opened and closed; `Environment` decides when.
struct EnvironmentHandle: @unchecked Sendable {
    // `@unchecked`: LMDB's environment may be used by all threads; opening, closing and resizing run alone (`Environment`).
    let pointer: OpaquePointer
    let mapByteCount: Int
    /// Maps of the file before this one (`Snapshot`).
    var mapNumber = 0

    /// Below this a map is of no use; the system's refusal is the answer then.
    private static let smallestMap = 1 << 20

    /// Opens the environment in `directory` with the largest map that the system grants, up to `mapByteCount`.
    static func open(
        _ directory: String,
        mapByteCount: Int,
        options: EnvironmentOptions
    ) throws(StorageError) -> EnvironmentHandle {
        var size = mapByteCount
        while true {
            do {
                return try open(directory, exactMap: size, options: options)
            } catch {
                guard error.status == .outOfMemory, size / 2 >= smallestMap else { throw error }
                size /= 2
            }
        }
    }

    private static func open(
        _ directory: String,
        exactMap: Int,
        options: EnvironmentOptions
    ) throws(StorageError) -> EnvironmentHandle {
        var created: OpaquePointer?
        try check(mdb_env_create(&created), "create environment")
        guard let pointer = created else { throw StorageError(.outOfMemory, operation: "create environment") }
        do throws(StorageError) {
            try check(mdb_env_set_maxdbs(pointer, options.databaseLimit), "set database limit")
            try check(mdb_env_set_maxreaders(pointer, options.readerLimit), "set reader limit")
            try check(mdb_env_set_mapsize(pointer, exactMap), "set map size")
            let flags = UInt32(MDB_NOTLS | MDB_NORDAHEAD)
            try check(mdb_env_open(pointer, directory, flags, 0o600), "open \(directory)")
            // Slots of readers that died with an earlier process would keep their pages from being used again.
            try check(mdb_reader_check(pointer, nil), "check readers of \(directory)")
            var info = MDB_envinfo()
            try check(mdb_env_info(pointer, &info), "inspect \(directory)")
            return EnvironmentHandle(pointer: pointer, mapByteCount: info.me_mapsize)
        } catch {
            mdb_env_close(pointer)
            throw error.explained(freeByteCount: FileSystemCheck.freeByteCount(directory))
        }
    }

    /// Changes the map's size; no transaction may be active.
    ///
    /// - Throws: what the system said. LMDB has given the old map up by then and maps no second time: only `close` is left.
    func resized(to byteCount: Int) throws(StorageError) -> EnvironmentHandle {
        try check(mdb_env_set_mapsize(pointer, byteCount), "grow the map to \(byteCount) bytes")
        return EnvironmentHandle(pointer: pointer, mapByteCount: byteCount)
    }

    /// Opens `databases` again after a reopen, in their old order, which gives them their old numbers.
    func reopen(_ databases: [Database]) throws(StorageError) {
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(pointer, nil, 0, &transaction), "begin")
        do throws(StorageError) {
            for database in databases.sorted(by: { $0.index < $1.index }) {
                var index: MDB_dbi = 0
                try check(
                    mdb_dbi_open(transaction, database.name, database.flags.rawValue, &index),
                    "open database \(database.name)"
                )
                guard index == database.index else {
                    throw StorageError(code: .incompatible, operation: "reopen database \(database.name)")
                }
            }
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        try check(mdb_txn_commit(transaction), "commit")
    }

    func close() { mdb_env_close(pointer) }
}
