/// A model as `GET /v1/models` lists it.
package struct ModelBody: Codable, Sendable, Equatable {
    package var name: String
    /// Such as `VGG19, widths 16-32-64-128-128`.
    package var architecture: String
    package var dimension: Int
    package var sha256: String
    package var defaultHead: String
    /// Seeded weights that nobody trained: they find copies, not similar pictures.
    package var untrained: Bool
    package var inUse: Bool
    package var licence: String?

    package init(
        name: String,
        architecture: String,
        dimension: Int,
        sha256: String,
        defaultHead: String,
        untrained: Bool,
        inUse: Bool,
        licence: String?
    ) {
        self.name = name
        self.architecture = architecture
        self.dimension = dimension
        self.sha256 = sha256
        self.defaultHead = defaultHead
        self.untrained = untrained
        self.inUse = inUse
        self.licence = licence
    }

    enum CodingKeys: String, CodingKey {
        case name, architecture, dimension, sha256, untrained, licence
        case defaultHead = "default_head"
        case inUse = "in_use"
    }
}

/// `GET /v1/models`.
package struct ModelList: Codable, Sendable, Equatable {
    package var models: [ModelBody]
    /// What `likeness model fetch` knows, fetched or not; older daemons say nothing of it.
    package var fetchable: [FetchableModel]?

    package init(models: [ModelBody], fetchable: [FetchableModel]? = nil) {
        self.models = models
        self.fetchable = fetchable
    }
}

/// A model whose weights can be fetched: what a client needs of a manifest of `Models/`, under the same keys.
package struct FetchableModel: Codable, Sendable, Equatable {
    /// Where the weight file comes from.
    package struct Source: Codable, Sendable, Equatable {
        package var address: String
        /// `safetensors`, `pth`, `h5` or `onnx`.
        package var format: String
        package var bytes: Int
        /// Hexadecimal; one of the two is there.
        package var sha256: String?
        package var md5: String?

        package init(address: String, format: String, bytes: Int, sha256: String?, md5: String?) {
            self.address = address
            self.format = format
            self.bytes = bytes
            self.sha256 = sha256
            self.md5 = md5
        }
    }

    /// The model's name once it is imported.
    package var name: String
    /// Short names; absent in a user's own manifest.
    package var aliases: [String]?
    package var description: String
    package var licence: String
    package var source: Source

    package init(name: String, aliases: [String], description: String, licence: String, source: Source) {
        self.name = name
        self.aliases = aliases
        self.description = description
        self.licence = licence
        self.source = source
    }

    /// Whether `word` is its name or a short name for it.
    package func isCalled(_ word: String) -> Bool { word == name || aliases?.contains(word) == true }
}
