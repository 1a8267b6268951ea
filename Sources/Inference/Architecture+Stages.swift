/// The form in which packed model files and manifests store an architecture: stages of 3x3 convolutions, a 2x2 max pool between two stages.
///
/// `[[64, 64], [128]]` is two convolutions to 64 channels, a pool, and one convolution to 128. The heads work on the last
/// convolution's map after ReLU, so no pool follows the last stage. A kind of layer that this form cannot hold needs another form
/// beside it: files that exist stay as they are.
extension Architecture {
    /// Reads the stored form, nil when a stage is empty or where `init(layers:)` gives nil.
    ///
    /// - Parameter stages: output channels of every convolution, stage by stage.
    package init?(stages: [[Int]]) {
        var layers: [Layer] = []
        var (index, inputChannels) = (0, 3)
        for (position, stage) in stages.enumerated() {
            guard !stage.isEmpty else { return nil }
            if position > 0 { layers.append(.pool(.max2x2)) }
            for outputChannels in stage {
                layers.append(
                    .convolution(
                        Layer.Convolution(index: index, inputChannels: inputChannels, outputChannels: outputChannels)
                    )
                )
                (index, inputChannels) = (index + 1, outputChannels)
            }
        }
        self.init(layers: layers)
    }

    /// Output channels of every convolution, stage by stage; nil when the layers are not of this form.
    package var stages: [[Int]]? {
        var stages: [[Int]] = [[]]
        for layer in layers {
            switch layer {
            case .convolution(let convolution): stages[stages.count - 1].append(convolution.outputChannels)
            case .pool: stages.append([])
            }
        }
        // What differs in anything but the channels does not come back.
        return Architecture(stages: stages) == self ? stages : nil
    }
}

extension Architecture: Codable {
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
        guard let stages else {
            throw EncodingError.invalidValue(
                self,
                .init(codingPath: encoder.codingPath, debugDescription: "layers that stages cannot express")
            )
        }
        var container = encoder.singleValueContainer()
        try container.encode(stages)
    }
}
