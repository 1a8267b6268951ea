internal import Foundation
internal import Glibc
package import Inference
internal import Platform

/// Which model, and which of its heads.
package struct ModelSelection: Codable, Hashable, Sendable {
    package var name: String
    package var head: Head

    package init(name: String, head: Head) {
        self.name = name
        self.head = head
    }
}

/// The folder of models: `<name>.pack` files and `selected`, a small JSON file.
///
/// Every change is one atomic rename, so a reader in another process sees old or new. Only the daemon writes here.
package struct ModelLibrary: Sendable {
    /// What the folder holds.
    package struct Listing: Codable, Sendable {
        /// In order of names.
        package var models: [ModelSummary]
        /// Why a packed model file cannot be used, by name.
        package var damaged: [String: String]
    }

    package let folder: String

    /// The model of a first start, which the program brings along. Its packed model file is made at its first use.
    package static var defaultName: String { IncludedModel.defaultName }

    /// Opens the folder, creating it (mode 0700) where it is missing.
    package init(folder: String) throws(ModelFileError) {
        self.folder = folder
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw .unwritable(file: folder, detail: error.localizedDescription)
        }
    }

    /// Whether `name` may name a model: `[A-Za-z0-9._-]{1,64}` without a leading dot.
    package static func isValid(name: String) -> Bool {
        let allowed = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        return allowed && (1...64).contains(name.utf8.count) && !name.hasPrefix(".")
    }

    /// All packed model files by their headers; the weights' digests are checked when a model is opened.
    package func list() throws(ModelFileError) -> Listing {
        let files: [String]
        do { files = try FileManager.default.contentsOfDirectory(atPath: folder) } catch {
            throw .unreadableWeights(file: folder, detail: error.localizedDescription)
        }
        var listing = Listing(models: [], damaged: [:])
        for file in files.sorted() where file.hasSuffix(".pack") && Self.isValid(name: String(file.dropLast(5))) {
            let name = String(file.dropLast(5))
            do throws(ModelFileError) { listing.models.append(try summary(name)) } catch {
                listing.damaged[name] = error.description
            }
        }
        return listing
    }

    /// Imports a weight file of any supported format as `name`.
    ///
    /// - Parameters:
    ///   - path: a regular file.
    ///   - name: the model's new name; an existing one is never replaced, since collections depend on it.
    ///   - preprocessing: what the network was trained with; its format's usual one when nil.
    ///   - defaultHead: the head of new collections.
    ///   - licence: of the weights; what the file says of it when nil.
    ///   - expected: the network that the file must hold; any when nil.
    /// - Returns: the new model's line in the list.
    /// - Throws: `.invalidModelName`, `.modelExists`, `.unreadableWeights`, `.malformedWeights`, `.unsupportedNetwork`,
    ///   `.unexpectedNetwork`, `.unwritable`.
    package func importModel(
        from path: String,
        as name: String,
        preprocessing: Preprocessing? = nil,
        defaultHead: Head = .max,
        licence: String? = nil,
        expected: Architecture? = nil
    ) throws(ModelFileError) -> ModelSummary {
        let file = try self.path(name)
        guard access(file, F_OK) != 0, !IncludedModel.has(name) else { throw .modelExists(name: name) }
        let imported = try ImportedWeights(path: path, preprocessing: preprocessing, defaultHead: defaultHead)
        var description = imported.description
        if let expected, expected != description.architecture {
            throw .unexpectedNetwork(file: path, got: description.architecture, expected: expected)
        }
        if let licence { description.licence = licence }
        try PackedModel.write(
            file,
            description: description,
            weightsDigest: imported.digest,
            whitening: imported.whitening,
            storage: imported.weights
        )
        return ModelSummary(name: name, description: description, weightsDigest: imported.digest)
    }

    /// Opens a model by name and checks its digest; makes an included one at its first use.
    ///
    /// - Throws: `.modelNotFound`, `.invalidModelName`, `.malformedWeights`, `.unreadableWeights`, `.unwritable`.
    package func open(_ name: String) throws(ModelFileError) -> Model {
        try Model(packedModel: existingFile(name))
    }

    /// The stored selection, or nil when none was made.
    ///
    /// - Throws: `.malformedWeights` when the file is damaged.
    package func selection() throws(ModelFileError) -> ModelSelection? {
        let path = folder + "/selected"
        guard access(path, F_OK) == 0 else { return nil }
        do {
            let bytes = try OwnedDescriptor.open(path, O_RDONLY).readAll(limit: 4096)
            return try JSONDecoder().decode(ModelSelection.self, from: Data(bytes))
        } catch {
            throw .malformedWeights(file: path, detail: "\(error)")
        }
    }

    /// Stores which model is used from the next start on.
    ///
    /// - Parameters:
    ///   - name: an existing model.
    ///   - head: the model's default head when nil.
    /// - Returns: what was stored.
    /// - Throws: `.modelNotFound`, `.invalidModelName`, `.malformedWeights`, `.unwritable`.
    @discardableResult
    package func select(_ name: String, head: Head? = nil) throws(ModelFileError) -> ModelSelection {
        let model = try summary(name)
        let selection = ModelSelection(name: name, head: head ?? model.defaultHead)
        do {
            let text = [UInt8](try JSONEncoder().encode(selection))
            try DurableFile.replace(folder + "/selected", with: text)
        } catch {
            throw .unwritable(file: folder + "/selected", detail: "\(error)")
        }
        return selection
    }

    /// Opens the selected model; the included default with its default head when none was selected.
    ///
    /// A folder that was begun with the default of an earlier version goes on with it: another model would embed everything anew.
    package func openSelected() throws(ModelFileError) -> (model: Model, head: Head) {
        guard let selection = try selection() else {
            let former = IncludedModel.formerDefaultNames.first { access("\(folder)/\($0).pack", F_OK) == 0 }
            let model = try open(former ?? Self.defaultName)
            return (model, model.summary.defaultHead)
        }
        return (try open(selection.name), selection.head)
    }

    /// A model's line in the list, from its header.
    private func summary(_ name: String) throws(ModelFileError) -> ModelSummary {
        let file = try existingFile(name)
        let map: MappedFile
        do throws(SystemError) { map = try MappedFile(path: file) } catch {
            throw .unreadableWeights(file: file, detail: error.description)
        }
        let header = try PackedModel.header(map.bytes, file: file)
        return ModelSummary(name: name, description: header.description, weightsDigest: header.weightsDigest)
    }

    /// The path of a model's packed file; writes an included model's when it is missing.
    private func existingFile(_ name: String) throws(ModelFileError) -> String {
        let file = try path(name)
        guard access(file, F_OK) != 0 else { return file }
        try IncludedModel.write(name, to: file)
        return file
    }

    private func path(_ name: String) throws(ModelFileError) -> String {
        guard Self.isValid(name: name) else { throw .invalidModelName(name) }
        return "\(folder)/\(name).pack"
    }
}
