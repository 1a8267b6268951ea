internal import Catalog
internal import Foundation
internal import Glibc
internal import Ingestion
internal import ModelFiles
internal import Platform
internal import Server

/// Backups: the daemon names what there is and hands it out, the client writes it, as the user who asks. So the service
/// needs no place to write to, and the user no right to read the state folder.
extension APIHandler {
    func backupContents() throws(DaemonError) -> BackupContents {
        BackupContents(
            stateDirectory: information.folder.path,
            collections: all.open.map { (nameInState($0), $0.status) },
            files: try backupFiles(),
            weights: information.modelIsFile ? information.model.summary.name : nil
        )
    }

    func copyCollection(_ name: String, isCompacting: Bool) throws(DaemonError) -> CatalogJob<[UInt8]> {
        guard let collection = all.open.first(where: { nameInState($0) == name }) else {
            throw .notInBackup(name: name)
        }
        do throws(CatalogError) {
            let copy = try collection.store.copy(isCompacting: isCompacting)
            return CatalogJob(collection: name) { () throws(CatalogError) in try copy.next() }
        } catch { throw .catalog(error) }
    }

    func openBackupFile(_ name: String) throws(DaemonError) -> OwnedDescriptor {
        // Only what the plan names is opened, whatever the client asks for.
        guard try backupFiles().contains(where: { $0.name == name }) else {
            throw .notInBackup(name: name)
        }
        let path = "\(information.folder.path)/\(name)"
        do throws(SystemError) { return try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW) } catch {
            throw .unexpected("\(error)")
        }
    }

    /// The folder of a collection's store below the state folder.
    func nameInState(_ collection: ImageCollection) -> String {
        String(collection.store.directory.dropFirst(information.folder.path.count).drop { $0 == "/" })
    }

    /// The lists of watched folders and the models. The page's token is a secret of this machine, and made anew where
    /// it is missing.
    private func backupFiles() throws(DaemonError) -> [BackupContents.File] {
        let state = information.folder.path
        let models = (try? FileManager.default.contentsOfDirectory(atPath: "\(state)/models")) ?? []
        let names =
            all.open.map { "collections/\($0.id)/roots" }
            + models.filter { $0.hasSuffix(".pack") || $0 == "selected" }.sorted().map { "models/\($0)" }
        var files: [BackupContents.File] = []
        for name in names {
            do throws(SystemError) {
                let status = try OwnedDescriptor.open("\(state)/\(name)", O_RDONLY | O_NOFOLLOW).status()
                if status.kind == .regular {
                    files.append(BackupContents.File(name: name, byteCount: status.byteCount))
                }
            } catch {
                guard error.code == ENOENT else { throw .unexpected("\(error)") }
            }
        }
        return files
    }

    // MARK: Long jobs

    func verifications() -> [CatalogJob<CatalogVerification.Step>] {
        all.open.map { collection in
            let verification = collection.store.verification()
            return CatalogJob(collection: nameInState(collection)) { () throws(CatalogError) in
                try verification.next()
            }
        }
    }

    func rebuildings() -> [CatalogJob<CatalogRebuilding.Step>] {
        all.open.map { collection in
            let rebuilding = collection.store.rebuilding()
            return CatalogJob(collection: nameInState(collection)) { () throws(CatalogError) in
                let step = try rebuilding.next()
                // Files whose vectors were dropped are found by a scan.
                if case .done(_, let dropped)? = step, dropped > 0 { _ = collection.rescan(nil) }
                return step
            }
        }
    }
}
