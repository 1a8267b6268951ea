internal import Glibc
package import Inference
internal import Platform

extension ModelLibrary {
    /// Imports the weight file that a manifest describes, after it proved to be that file.
    ///
    /// - Parameters:
    ///   - path: a regular file.
    ///   - name: the model's new name; an existing one is never replaced.
    ///   - manifest: one with a source.
    ///   - defaultHead: in place of the manifest's.
    /// - Returns: the new model's line in the list.
    /// - Throws: what the other import throws; `.malformedWeights` when the file is not the manifest's,
    ///   `.invalidManifest` when the manifest has none.
    package func importModel(
        from path: String,
        as name: String,
        manifest: ModelManifest,
        defaultHead: Head? = nil
    ) throws(ModelFileError) -> ModelSummary {
        guard let source = manifest.source else {
            throw .invalidManifest("the weights of \(manifest.name) are included, not imported")
        }
        try Self.check(path, source)
        return try importModel(
            from: path,
            as: name,
            preprocessing: manifest.preprocessing,
            defaultHead: defaultHead ?? manifest.defaultHead,
            licence: manifest.licence,
            expected: manifest.architecture
        )
    }

    /// Compares size and digest with the published ones.
    private static func check(_ path: String, _ source: ModelManifest.Source) throws(ModelFileError) {
        let byteCount: UInt64
        let found: FileDigest
        do throws(SystemError) {
            let file = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK)
            byteCount = try file.status().byteCount
            found = try FileDigest(of: file, by: source.digest.algorithm)
        } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
        guard byteCount == UInt64(source.byteCount) else {
            throw .malformedWeights(
                file: path,
                detail: "\(byteCount) bytes, where the manifest says \(source.byteCount)"
            )
        }
        guard found == source.digest else {
            throw .malformedWeights(
                file: path,
                detail: "its digest is \(found), where the manifest says \(source.digest)"
            )
        }
    }
}
