extension Architecture {
    private static let standardWidths = [64, 128, 256, 512, 512]

    /// VGG16 (configuration D of arXiv 1409.1556), without its last pool and classifier.
    package static let vgg16 = standard(convolutionCounts: [2, 2, 3, 3, 3])
    /// VGG19 (configuration E), without its last pool and classifier.
    package static let vgg19 = standard(convolutionCounts: [2, 2, 4, 4, 4])

    private static func standard(convolutionCounts: [Int]) -> Architecture {
        let stages = zip(convolutionCounts, standardWidths).map { Array(repeating: $1, count: $0) }
        guard let architecture = Architecture(stages: stages) else {
            preconditionFailure("the published networks are within the bounds: \(stages)")
        }
        return architecture
    }
}

extension Architecture: CustomStringConvertible {
    /// Convolutions a stage of the published networks.
    private static let published: [(name: String, counts: [Int])] = [
        ("VGG11", [1, 1, 2, 2, 2]), ("VGG13", [2, 2, 2, 2, 2]), ("VGG16", [2, 2, 3, 3, 3]), ("VGG19", [2, 2, 4, 4, 4]),
    ]

    /// For people, such as `VGG16` or `VGG19 to conv5_1, widths 16-32-64-128-128`.
    package var description: String {
        guard let stages else { return layers.map(\.description).joined(separator: "; ") }
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
