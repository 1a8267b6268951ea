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
