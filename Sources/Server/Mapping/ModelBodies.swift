internal import Inference
internal import ModelFiles
internal import Wire

extension ModelBody {
    init(_ model: ServedModel) {
        let summary = model.summary
        self.init(
            name: summary.name,
            architecture: summary.architecture,
            dimension: summary.dimension,
            sha256: summary.digest,
            defaultHead: summary.defaultHead.rawValue,
            untrained: summary.isUntrained,
            inUse: model.isInUse,
            licence: summary.licence.isEmpty ? nil : summary.licence
        )
    }
}

extension FetchableModel {
    /// Nil where nothing can be fetched.
    init?(_ manifest: ModelManifest) {
        guard let source = manifest.source else { return nil }
        self.init(
            name: manifest.name,
            aliases: manifest.aliases,
            description: manifest.description,
            licence: manifest.licence,
            source: Source(
                address: source.address,
                format: source.format.rawValue,
                bytes: source.byteCount,
                sha256: source.sha256,
                md5: source.md5
            )
        )
    }
}
