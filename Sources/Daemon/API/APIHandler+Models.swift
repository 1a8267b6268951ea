internal import Foundation
internal import Inference
internal import ModelFiles
internal import Server

/// The library of models over the socket.
extension APIHandler {
    func models() throws(DaemonError) -> [ServedModel] {
        do throws(ModelFileError) {
            let listed = try library.list().models.map {
                ServedModel($0, isInUse: $0.name == information.model.summary.name && !information.modelIsFile)
            }
            return information.modelIsFile ? listed + [information.model] : listed
        } catch { throw .unexpected("\(error)") }
    }

    func manifests() throws(DaemonError) -> [ModelManifest] {
        do throws(ModelFileError) { return try ModelManifest.embedded() } catch { throw .unexpected("\(error)") }
    }

    func importModel(_ request: ModelImport) throws(DaemonError) -> ServedModel {
        let head = try self.head(request.head)
        let preprocessing = try self.preprocessing(request.preprocessing)
        let summary: ModelSummary
        do throws(ModelFileError) {
            if let manifest = request.manifest {
                guard preprocessing == nil else {
                    throw ModelFileError.invalidManifest("it says the preprocessing; give one of the two")
                }
                summary = try library.importModel(
                    from: request.temporaryFile,
                    as: request.name,
                    manifest: manifest.hasPrefix("{")
                        ? ModelManifest(json: Data(manifest.utf8), origin: "the given one")
                        : ModelManifest.embedded(manifest),
                    defaultHead: head
                )
            } else {
                summary = try library.importModel(
                    from: request.temporaryFile,
                    as: request.name,
                    preprocessing: preprocessing,
                    defaultHead: head ?? .max
                )
            }
        } catch { throw .model(error, name: request.name) }
        return ServedModel(summary, isInUse: false)
    }

    private func preprocessing(_ name: String?) throws(DaemonError) -> Preprocessing? {
        guard let name else { return nil }
        guard let kind = ["keras": Preprocessing.keras, "torchvision": .torchvision][name] else {
            throw .unknownPreprocessing(name)
        }
        return kind
    }

    func useModel(name: String, head: String?) throws(DaemonError) {
        guard !information.modelIsFixed else { throw .modelIsFixed }
        let chosenHead = try self.head(head)
        if let fixed = information.fixedHead, let chosenHead, chosenHead != fixed {
            throw .headIsFixed(fixed)
        }
        let wanted: Head
        do throws(ModelFileError) {
            // Checks every byte: a daemon that finds a damaged model at its restart could only end.
            let model = try library.open(name)
            wanted = information.fixedHead ?? chosenHead ?? model.summary.defaultHead
            try library.select(name, head: wanted)
        } catch { throw .model(error, name: name) }
        if name != information.model.summary.name || wanted != information.head { Signals.requestRestart() }
    }

    private func head(_ name: String?) throws(DaemonError) -> Head? {
        guard let name else { return nil }
        guard let head = Head(rawValue: name) else { throw .unknownHead(name) }
        return head
    }
}
