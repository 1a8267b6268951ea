internal import Inference

/// A network laid out as dispatches: which kernels with which shapes, and how many bytes they need. Knows no device handle.
struct Chain {
    let tier: Tier
    let steps: [ChainStep]
    /// Bytes an image takes in each place.
    let byteCounts: [ChainPlace: Int]
    /// Bytes of all weights and biases.
    let parameterByteCount: Int
    /// Elements between two heads of an image in `.rows`.
    let rowPitch: Int

    /// Summaries the device makes of every image: they cost next to nothing, and a recorded batch serves any request.
    static let heads = Head.allCases

    /// - Parameters:
    ///   - network: any chain that begins with a convolution of three planes.
    ///   - tier: which kernels compute it.
    ///   - offsetAlignment: bytes a binding's offset must be a multiple of.
    /// - Throws: `.unsupportedNetwork`.
    init(_ network: Network, tier: Tier, offsetAlignment: Int) throws(InferenceError) {
        precondition(tier == .fp32, "tier \(tier) has no kernels")
        self.tier = tier
        var builder = ChainBuilder(network, offsetAlignment: offsetAlignment)
        var layers = network.layers[...]
        while let layer = layers.popFirst() {
            switch layer {
            case .convolution(let index, let inputChannels, let outputChannels):
                let pools = layers.first == .maxPool
                if pools { layers.removeFirst() }
                try builder.addConvolution(index, inputChannels, outputChannels, pools: pools)
            case .maxPool:
                try builder.addMaxPool()
            }
        }
        try builder.addHeads()
        steps = builder.steps
        byteCounts = builder.byteCounts
        parameterByteCount = builder.parameterByteCount
        rowPitch = builder.channels.rounded(upTo: 4)
    }

    /// Images the chain can take at once.
    ///
    /// - Parameters:
    ///   - windowByteCount: the longest range a binding may have.
    ///   - groupLimits: the most workgroups along x, y and z.
    ///   - memoryByteCount: bytes that weights and activations may take together.
    /// - Returns: 0 when not even one image fits.
    func maximumImageCount(windowByteCount: Int, groupLimits: [Int], memoryByteCount: Int) -> Int {
        var count = (memoryByteCount - parameterByteCount) / byteCounts.values.reduce(0, +)
        for bytes in byteCounts.values { count = min(count, windowByteCount / bytes) }
        for step in steps {
            if let parameters = step.parameters, parameters.byteCount > windowByteCount { return 0 }
            for (extent, limit) in zip(step.groups, groupLimits) {
                count = min(count, extent.maximumImageCount(limit: limit))
            }
        }
        return max(0, count)
    }
}

extension Head {
    /// Its row among an image's summaries, as the kernels `head_reduce_f32` and `head_rmac_f32` write them.
    var chainRow: Int {
        switch self {
        case .max: 0
        case .mean: 1
        case .gem3: 2
        case .rmac: 3
        }
    }
}

/// Builds a chain layer by layer and follows the map's shape.
private struct ChainBuilder {
    private(set) var steps: [ChainStep] = []
    private(set) var byteCounts: [ChainPlace: Int]
    private(set) var parameterByteCount = 0
    private(set) var channels = 3

    private let network: Network
    private let offsetAlignment: Int
    private var side: Int
    private var place = ChainPlace.pixels

    init(_ network: Network, offsetAlignment: Int) {
        self.network = network
        self.offsetAlignment = offsetAlignment
        side = network.preprocessing.side
        byteCounts = [.pixels: (side * side * 3).rounded(upTo: 4)]
    }

    mutating func addConvolution(
        _ index: Int,
        _ inputChannels: Int,
        _ outputChannels: Int,
        pools: Bool
    ) throws(InferenceError) {
        guard inputChannels == channels, outputChannels > 0 else {
            throw unsupported("convolution \(index) takes \(inputChannels) channels and gets \(channels)")
        }
        if pools && side < 2 { throw unsupported("a map of side \(side) cannot be pooled") }
        let isFirst = place == .pixels
        let kernel = isFirst ? Kernel.firstConvolution : .convolution(outputChannels: outputChannels)
        let cells = pools ? side / 2 : side.divided(roundingUpBy: 2)
        let inputQuads = inputChannels.divided(roundingUpBy: 4)
        let outputQuads = outputChannels.divided(roundingUpBy: 4)
        let rowsPerTap = isFirst ? 3 : 4 * inputQuads
        let parameters = ParameterLayout(
            convolution: index,
            inputChannels: inputChannels,
            outputChannels: outputChannels,
            rowsPerTap: rowsPerTap,
            rowCount: isFirst ? 27 : (9 * rowsPerTap).rounded(upTo: Kernel.convolutionStep),
            pitch: outputChannels.rounded(upTo: isFirst ? 4 : kernel.tileChannels),
            offset: parameterByteCount
        )
        parameterByteCount += parameters.byteCount.rounded(upTo: offsetAlignment)
        let shape = [side, outputQuads, cells, pools ? 1 : 0].map(UInt32.init)
        let lastConstant: UInt32 =
            isFirst ? (network.preprocessing.channelOrder == .bgr ? 1 : 0) : UInt32(inputQuads)
        let groups: [GroupExtent] =
            isFirst
            ? [.fixed(cells, tile: kernel.tileCells), .fixed(cells, tile: kernel.tileCells), .batch()]
            : [
                .batch(cells * cells, tile: kernel.tileCells), .fixed(outputChannels, tile: kernel.tileChannels),
                .fixed(1),
            ]
        append(kernel, shape + [lastConstant], parameters, groups)
        channels = outputChannels
        if pools { side /= 2 }
        noteMap()
    }

    mutating func addMaxPool() throws(InferenceError) {
        guard place != .pixels else { throw unsupported("it begins with a pooling") }
        guard side >= 2 else { throw unsupported("a map of side \(side) cannot be pooled") }
        let quads = channels.divided(roundingUpBy: 4)
        let items = (side / 2) * (side / 2) * quads
        append(
            .maxPool,
            [UInt32(side), UInt32(quads)],
            nil,
            [.batch(items, tile: Kernel.maxPool.threads), .fixed(1), .fixed(1)]
        )
        side /= 2
        noteMap()
    }

    mutating func addHeads() throws(InferenceError) {
        guard place != .pixels else { throw unsupported("it has no convolution") }
        let quads = channels.divided(roundingUpBy: 4)
        let heads = Chain.heads.count
        let regions = RegionGrid(height: side, width: side).regions.count
        appendHead(
            .headReduce,
            [side * side, quads, channels, heads],
            from: place,
            groups: .fixed(channels, tile: Kernel.headReduce.tileChannels)
        )
        append(.headRegions, [UInt32(side), UInt32(quads)], nil, [.fixed(regions), .batch(), .fixed(1)])
        note(regions * quads * 16)
        appendHead(
            .headRMAC,
            [regions, quads, heads, Head.rmac.chainRow],
            from: place,
            groups: .fixed(channels, tile: Kernel.headRMAC.tileChannels)
        )
        appendHead(.headNormalise, [quads, heads], from: nil, groups: .fixed(heads))
        byteCounts[.rows] = heads * quads * 16
    }

    /// A step that writes to the summaries, for each image apart.
    private mutating func appendHead(
        _ kernel: Kernel,
        _ constants: [Int],
        from source: ChainPlace?,
        groups: GroupExtent
    ) {
        steps.append(
            ChainStep(
                kernel: kernel,
                constants: constants.map(UInt32.init),
                source: source,
                parameters: nil,
                target: .rows,
                groups: [groups, .batch(), .fixed(1)]
            )
        )
    }

    /// A step from the current place into the other map.
    private mutating func append(
        _ kernel: Kernel,
        _ constants: [UInt32],
        _ parameters: ParameterLayout?,
        _ groups: [GroupExtent]
    ) {
        let target: ChainPlace = place == .map(0) ? .map(1) : .map(0)
        steps.append(
            ChainStep(
                kernel: kernel,
                constants: constants,
                source: place,
                parameters: parameters,
                target: target,
                groups: groups
            )
        )
        place = target
    }

    private mutating func noteMap() { note(side * side * channels.rounded(upTo: 4) * 4) }

    /// Bytes that an image needs in the current place.
    private mutating func note(_ byteCount: Int) { byteCounts[place] = max(byteCounts[place] ?? 0, byteCount) }

    private func unsupported(_ detail: String) -> InferenceError {
        .unsupportedNetwork(file: network.name, detail: detail)
    }
}
