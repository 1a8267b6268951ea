internal import Catalog
internal import Foundation
internal import Glibc
internal import Ingestion
internal import Platform
internal import Server
internal import Wire

/// Backups: the daemon names what there is and hands it out, the client writes it, as the user who asks. So the service needs no
/// place to write to, and the user no right to read the state folder.
extension Control {
    func backupPlan() throws(Problem) -> BackupPlan {
        let collections = all.open
        return BackupPlan(
            version: Version.number,
            state: facts.folder.path,
            roots: collections.flatMap { $0.work.roots.map(\.root.path.description) },
            collections: collections.map { collection in
                let stored = collection.store.statistics
                return BackupPlan.Collection(
                    name: nameInState(collection),
                    bytes: UInt64(stored.diskByteCount),
                    images: stored.imageCount
                )
            },
            files: try backupFiles(),
            weights: facts.modelIsFile ? facts.model.name : nil
        )
    }

    func copyCollection(_ name: String, isCompacting: Bool) throws(Problem) -> ResponseStream {
        guard let collection = all.open.first(where: { nameInState($0) == name }) else {
            throw Problem(.notFound, "there is no collection \(name)")
        }
        let claim = try claimMaintenance("a backup")
        let copy: CatalogCopy
        do throws(CatalogError) { copy = try collection.store.copy(isCompacting: isCompacting) } catch {
            throw Problem(error)
        }
        return ResponseStream { () throws(Problem) in
            try withExtendedLifetime(claim) { () throws(Problem) in
                do throws(CatalogError) { return try copy.next() } catch { throw Problem(error) }
            }
        }
    }

    func openBackupFile(_ name: String) throws(Problem) -> OwnedDescriptor {
        // Only what the plan names is opened, whatever the client asks for.
        guard try backupFiles().contains(where: { $0.name == name }) else {
            throw Problem(.notFound, "\(name) is no part of a backup")
        }
        let path = "\(facts.folder.path)/\(name)"
        do throws(SystemError) { return try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW) } catch {
            throw Problem(.internal, "\(error)")
        }
    }

    /// The folder of a collection's store below the state folder.
    func nameInState(_ collection: ImageCollection) -> String {
        String(collection.store.directory.dropFirst(facts.folder.path.count).drop { $0 == "/" })
    }

    /// The lists of watched folders and the models. The page's token is a secret of this machine, and made anew where it is missing.
    private func backupFiles() throws(Problem) -> [BackupPlan.File] {
        let state = facts.folder.path
        let models = (try? FileManager.default.contentsOfDirectory(atPath: "\(state)/models")) ?? []
        let names =
            all.open.map { "collections/\($0.id)/roots" }
            + models.filter { $0.hasSuffix(".pack") || $0 == "selected" }.sorted().map { "models/\($0)" }
        var files: [BackupPlan.File] = []
        for name in names {
            do throws(SystemError) {
                let status = try OwnedDescriptor.open("\(state)/\(name)", O_RDONLY | O_NOFOLLOW).status()
                if status.kind == .regular { files.append(BackupPlan.File(name: name, bytes: status.byteCount)) }
            } catch {
                guard error.code == ENOENT else { throw Problem(.internal, "\(error)") }
            }
        }
        return files
    }
}
