internal import CModels
internal import Inference

/// The model of a first start: trained by `Models/training` on generated pictures, its weights part of the program.
enum IncludedModel {
    /// The model that the daemon uses until another is chosen. Weights of one name never change: vectors of a store depend on
    /// them, so better weights get another name.
    static let defaultName = "likeness-slim-2"

    /// Defaults of earlier versions, newest first. Their packed model files lie in folders that were begun with them.
    static let formerDefaultNames = ["likeness-slim"]

    /// Whether the program brings the weights of a model called so.
    static func has(_ name: String) -> Bool { (try? place(of: name)) != nil }

    /// The weight file of an included model, copied out of the program.
    ///
    /// - Throws: `.modelNotFound`.
    static func weights(of name: String) throws(ModelFileError) -> WeightBytes {
        let (index, manifest) = try place(of: name)
        var byteCount = 0
        guard let bytes = CModels_weights(index, &byteCount), let file = manifest.weights?.file else {
            throw .modelNotFound(name: name)
        }
        // SAFETY: a constant of the program, `byteCount` bytes long.
        return WeightBytes(Array(UnsafeRawBufferPointer(start: bytes, count: byteCount)), name: file)
    }

    /// Writes an included model's packed file.
    ///
    /// - Complexity: 2 million weights, some 20 ms.
    static func write(_ name: String, to path: String) throws(ModelFileError) {
        let manifest = try place(of: name).manifest
        let imported = try ImportedWeights(
            weights(of: name),
            preprocessing: manifest.preprocessing,
            defaultHead: manifest.defaultHead
        )
        guard imported.description.architecture == manifest.architecture else {
            throw .unexpectedNetwork(
                file: name,
                got: imported.description.architecture,
                expected: manifest.architecture
            )
        }
        var description = manifest.modelDescription
        description.whitening = imported.description.whitening
        try PackedModel.write(
            path,
            description: description,
            weightsDigest: imported.digest,
            whitening: imported.whitening,
            storage: imported.weights
        )
    }

    private static func place(
        of name: String
    ) throws(ModelFileError) -> (index: Int, manifest: ModelManifest) {
        let manifests = try ModelManifest.embedded()
        guard let index = manifests.firstIndex(where: { $0.name == name && $0.weights != nil }) else {
            throw .modelNotFound(name: name)
        }
        return (index, manifests[index])
    }
}
