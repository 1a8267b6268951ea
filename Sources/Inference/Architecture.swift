/// The shape of a network: stages of 3x3 convolutions, a 2x2 max pool between two stages, three input channels.
///
/// `[[64, 64], [128]]` is two convolutions to 64 channels, a pool, and one convolution to 128. The heads work on the last
/// convolution's map after ReLU, so no pool follows the last stage.
package struct Architecture: Codable, Hashable, Sendable {
    /// Output channels of every convolution, stage by stage; no stage is empty.
    package let stages: [[Int]]

    /// Checks the bounds within which every size computed from the stages fits: at most 12 stages, 64 convolutions,
    /// 4096 channels and 2^28 weights.
    ///
    /// - Returns: nil when the stages are outside them.
    package init?(stages: [[Int]]) {
        guard (1...12).contains(stages.count), stages.allSatisfy({ !$0.isEmpty }) else { return nil }
        let widths = stages.flatMap(\.self)
        guard widths.count <= 64, widths.allSatisfy({ (1...4096).contains($0) }) else { return nil }
        let weightCount = zip([3] + widths, widths).reduce(0) { $0 + 9 * $1.0 * $1.1 }
        guard weightCount <= 1 << 28 else { return nil }
        self.stages = stages
    }

    package init(from decoder: any Decoder) throws {
        let stages = try decoder.singleValueContainer().decode([[Int]].self)
        guard let checked = Architecture(stages: stages) else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "stages outside the bounds of a network")
            )
        }
        self = checked
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(stages)
    }

    private init(convolutionCounts: [Int]) {
        stages = zip(convolutionCounts, Self.standardWidths).map { Array(repeating: $1, count: $0) }
    }

    /// VGG16 (configuration D of arXiv 1409.1556), without its last pool and classifier.
    package static let vgg16 = Architecture(convolutionCounts: [2, 2, 3, 3, 3])
    /// VGG19 (configuration E), without its last pool and classifier.
    package static let vgg19 = Architecture(convolutionCounts: [2, 2, 4, 4, 4])

    /// The network's steps in order.
    package var layers: [Layer] {
        var layers: [Layer] = []
        var index = 0
        var inputChannels = 3
        for (position, stage) in stages.enumerated() {
            if position > 0 { layers.append(.maxPool) }
            for outputChannels in stage {
                layers.append(
                    .convolution(index: index, inputChannels: inputChannels, outputChannels: outputChannels)
                )
                index += 1
                inputChannels = outputChannels
            }
        }
        return layers
    }

    /// `(input, output)` channels of every convolution in order.
    package var convolutions: [(inputChannels: Int, outputChannels: Int)] {
        let widths = stages.flatMap(\.self)
        return zip([3] + widths, widths).map { (inputChannels: $0, outputChannels: $1) }
    }

    /// Channels of the last map: the dimension of the vectors.
    package var outputChannels: Int { convolutions.last?.outputChannels ?? 0 }

    /// Whether an image of `side` pixels keeps at least one pixel after all pools (each rounds down).
    package func accepts(side: Int) -> Bool { side >> (stages.count - 1) >= 1 }
}

extension Architecture: CustomStringConvertible {
    private static let standardWidths = [64, 128, 256, 512, 512]

    /// Convolutions a stage of the published networks.
    private static let published: [(name: String, counts: [Int])] = [
        ("VGG11", [1, 1, 2, 2, 2]), ("VGG13", [2, 2, 2, 2, 2]), ("VGG16", [2, 2, 3, 3, 3]), ("VGG19", [2, 2, 4, 4, 4]),
    ]

    /// For people, such as `VGG16` or `VGG19 to conv5_1, widths 16-32-64-128-128`.
    package var description: String {
        let counts = stages.map(\.count)
        let uniform = stages.allSatisfy { Set($0).count == 1 }
        guard uniform, let name = Self.familyName(counts) else {
            return "convolutions " + stages.map { $0.map(String.init).joined(separator: "-") }.joined(separator: " / ")
        }
        let widths = stages.compactMap(\.first)
        let isStandard = widths == Array(Self.standardWidths.prefix(widths.count))
        return name + (isStandard ? "" : ", widths " + widths.map(String.init).joined(separator: "-"))
    }

    /// The published network these convolutions are, or begin; plain `VGG` where several begin so.
    private static func familyName(_ counts: [Int]) -> String? {
        if let whole = published.first(where: { $0.counts == counts }) { return whole.name }
        let beginnings = published.filter { network in
            guard counts.count <= network.counts.count else { return false }
            let last = counts.count - 1
            return counts[..<last] == network.counts[..<last] && counts[last] <= network.counts[last]
        }
        guard let first = beginnings.first else { return nil }
        return "\(beginnings.count == 1 ? first.name : "VGG") to conv\(counts.count)_\(counts[counts.count - 1])"
    }
}
