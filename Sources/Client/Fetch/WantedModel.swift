internal import Foundation
internal import Platform
internal import Wire

/// What is to be fetched, checked: one of the daemon's manifests, or a manifest file of the user's own.
struct WantedModel {
    let model: FetchableModel
    /// What the daemon is told: a manifest's name, or the manifest itself.
    let manifest: String
    let digest: FileDigest

    private static let maximumManifestByteCount = 4096

    /// Finds a word among the manifests that the daemon has; a path to a `.json` file is read.
    ///
    /// - Throws: `ClientError`: refused when nothing is called so, usage when the manifest makes no sense.
    init(_ word: String, among fetchable: [FetchableModel]) throws {
        if word.hasSuffix(".json") || word.contains("/") {
            try self.init(file: word)
            return
        }
        guard let model = fetchable.first(where: { $0.isCalled(word) }) else {
            let near = nearestWord(to: word, among: fetchable.flatMap { [$0.name] + ($0.aliases ?? []) })
            throw ClientError(
                .refused,
                kind: "not-found",
                "no model \(word) can be fetched",
                fix: near.map { "did you mean likeness model fetch \($0)?" } ?? "which can: likeness model list"
            )
        }
        try self.init(model, manifest: model.name)
    }

    private init(file: String) throws {
        let bytes = try LocalFile.read(file, limit: Self.maximumManifestByteCount)
        let model: FetchableModel
        do { model = try JSONDecoder().decode(FetchableModel.self, from: Data(bytes)) } catch let error as DecodingError
        {
            throw ClientError.usage(
                "\(file) is not a model manifest: \(error.reason)",
                fix: "it needs name, description, stages, preprocessing, defaultHead, licence and source"
            )
        }
        try self.init(model, manifest: String(decoding: bytes, as: UTF8.self))
    }

    private init(_ model: FetchableModel, manifest: String) throws {
        guard let digest = FileDigest(sha256: model.source.sha256, md5: model.source.md5), model.source.bytes > 0 else {
            throw ClientError.usage("the manifest of \(model.name) says no size and digest")
        }
        // It becomes part of a file's name here; the daemon's rule for names is stricter still.
        guard !model.name.contains("/"), !model.name.hasPrefix("."), !model.name.isEmpty else {
            throw ClientError.usage("\(model.name) cannot name a model")
        }
        self.model = model
        self.manifest = manifest
        self.digest = digest
    }
}
