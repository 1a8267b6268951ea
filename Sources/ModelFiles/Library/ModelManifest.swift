internal import CModels
package import Foundation
package import Inference
package import Platform

/// What `Models/<name>.json` says of a model: its network, how pixels enter it, and where its weights come from.
package struct ModelManifest: Decodable, Hashable, Sendable {
    /// A weight file that lies beside the manifest in `Models/` and is part of the program.
    package struct Included: Decodable, Hashable, Sendable {
        /// Its name in `Models/`: safetensors.
        package let file: String
        package let bytes: Int
        /// Hexadecimal.
        package let sha256: String
    }

    /// A weight file that its publisher offers to everybody.
    package struct Source: Decodable, Hashable, Sendable {
        package enum Format: String, Decodable, Sendable { case safetensors, pth, h5, onnx }

        /// `https:`, or `http:` on loopback; only the client goes there.
        package let address: String
        package let format: Format
        package let byteCount: Int
        package let digest: FileDigest
        /// As published.
        package let sha256: String?
        package let md5: String?
    }

    /// The model's name in the library.
    package let name: String
    /// Short names for it; no two manifests share one.
    package let aliases: [String]
    /// A sentence for people.
    package let description: String
    package let architecture: Architecture
    package let preprocessing: Preprocessing
    package let defaultHead: Head
    /// Of the weights.
    package let licence: String
    /// Where the weights can be fetched; nil where they are included.
    package let source: Source?
    /// The weights that come with the program; nil where there is a source.
    package let weights: Included?

    /// Reads one manifest.
    ///
    /// - Parameters:
    ///   - text: JSON, at most 4 KiB.
    ///   - origin: what to call it in messages.
    /// - Throws: `.invalidManifest`.
    package init(json text: Data, origin: String) throws(ModelFileError) {
        guard text.count <= 4096 else { throw .invalidManifest("\(origin) is longer than 4096 bytes") }
        do { self = try JSONDecoder().decode(ModelManifest.self, from: text) } catch {
            throw .invalidManifest("\(origin): \(Self.reason(error))")
        }
        if let problem { throw .invalidManifest("\(origin): \(problem)") }
    }

    /// All of `Models/`, in the order in which lists show them.
    ///
    /// - Throws: `.invalidManifest`, which a test rules out.
    package static func embedded() throws(ModelFileError) -> [ModelManifest] {
        var manifests: [ModelManifest] = []
        var byteCount = 0
        // SAFETY: the bytes are constants of the program, `byteCount` of them.
        while let bytes = CModels_manifest(manifests.count, &byteCount) {
            let text = Data(bytes: bytes, count: byteCount)
            manifests.append(try ModelManifest(json: text, origin: "manifest \(manifests.count) of Models/"))
        }
        return manifests
    }

    /// The embedded manifest of this name or alias.
    ///
    /// - Throws: `.invalidManifest` when there is none.
    package static func embedded(_ name: String) throws(ModelFileError) -> ModelManifest {
        guard let manifest = try embedded().first(where: { $0.name == name || $0.aliases.contains(name) }) else {
            throw .invalidManifest("there is no manifest \(name)")
        }
        return manifest
    }

    /// What the packed model file of this model says of itself.
    package var modelDescription: ModelDescription {
        ModelDescription(
            architecture: architecture,
            preprocessing: preprocessing,
            defaultHead: defaultHead,
            licence: licence
        )
    }

    private var problem: String? {
        if let name = ([name] + aliases).first(where: { !ModelLibrary.isValid(name: $0) }) {
            return ModelFileError.invalidModelName(name).description
        }
        guard (source == nil) != (weights == nil) else { return "it needs either `source` or `weights`" }
        return modelDescription.problem
    }

    private static func reason(_ error: any Error) -> String {
        guard let error = error as? DecodingError else { return "\(error)" }
        let context: DecodingError.Context
        switch error {
        case .keyNotFound(let key, _): return "`\(key.stringValue)` is missing"
        case .typeMismatch(_, let found), .valueNotFound(_, let found), .dataCorrupted(let found): context = found
        @unknown default: return "\(error)"
        }
        let path = context.codingPath.map(\.stringValue).joined(separator: ".")
        return path.isEmpty ? context.debugDescription : "`\(path)`: \(context.debugDescription)"
    }
}

extension ModelManifest {
    private enum CodingKeys: String, CodingKey {
        case name, aliases, description, preprocessing, defaultHead, licence, source, weights
        case architecture = "stages"
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        name = try fields.decode(String.self, forKey: .name)
        aliases = try fields.decodeIfPresent([String].self, forKey: .aliases) ?? []
        description = try fields.decode(String.self, forKey: .description)
        architecture = try fields.decode(Architecture.self, forKey: .architecture)
        preprocessing = try fields.decode(Preprocessing.self, forKey: .preprocessing)
        defaultHead = try fields.decode(Head.self, forKey: .defaultHead)
        licence = try fields.decode(String.self, forKey: .licence)
        source = try fields.decodeIfPresent(Source.self, forKey: .source)
        weights = try fields.decodeIfPresent(Included.self, forKey: .weights)
    }
}

extension ModelManifest.Source {
    private enum CodingKeys: String, CodingKey {
        case address, format, sha256, md5
        case byteCount = "bytes"
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        address = try fields.decode(String.self, forKey: .address)
        format = try fields.decode(Format.self, forKey: .format)
        byteCount = try fields.decode(Int.self, forKey: .byteCount)
        sha256 = try fields.decodeIfPresent(String.self, forKey: .sha256)
        md5 = try fields.decodeIfPresent(String.self, forKey: .md5)
        guard let digest = FileDigest(sha256: sha256, md5: md5) else {
            let detail = "`sha256` (64 hexadecimal digits) or `md5` (32) is needed"
            throw DecodingError.dataCorrupted(.init(codingPath: decoder.codingPath, debugDescription: detail))
        }
        self.digest = digest
        guard byteCount > 0 else {
            throw DecodingError.dataCorruptedError(forKey: .byteCount, in: fields, debugDescription: "above 0")
        }
    }
}
