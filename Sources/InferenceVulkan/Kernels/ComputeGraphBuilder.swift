internal import Inference

/// Builds a graph layer by layer and follows the map's shape.
struct ComputeGraphBuilder {
    private(set) var kernels: [GraphKernel] = []
    private(set) var steps: [GraphStep] = []
    private(set) var byteCounts: [BufferBinding: Int]
    private(set) var scratchByteCounts: [BufferBinding: Int] = [:]
    private(set) var parameters: [ParameterLayout] = []
    private(set) var parameterByteCount = 0
    /// The preprocessed input is divided by two to this power.
    let inputExponent: Int

    private let network: Network
    private let set: KernelSet
    private let target: GraphTarget
    private let options: KernelOptions
    private let scales: FP16Scales
    private var channels = 3
    private var side: Int
    private var binding = BufferBinding.pixels
    /// The map's values are divided by two to this power.
    private var exponent: Int

    /// Of each kind of scratch: it holds as many images as fit. Larger buys nothing once the device is busy.
    private static let scratchByteLimit = 64 << 20

    init(_ network: Network, _ tier: Tier, _ target: GraphTarget, _ options: KernelOptions) {
        self.network = network
        self.target = target
        self.options = options
        set = KernelSet(tier, target, emulatesMatrixUnits: options.emulatesMatrixUnits)
        scales = tier == .fp32 ? FP16Scales(unscaled: network) : FP16Scales(of: network)
        // Elsewhere the first layer computes in fp32.
        inputExponent = set.first.tileTerms > 0 ? scales.input : 0
        exponent = inputExponent
        side = network.preprocessing.side
        byteCounts = [.pixels: (side * side * 3).rounded(upTo: 4)]
    }

    /// Channels of the current map with their padding.
    var paddedChannels: Int { channels.rounded(upTo: set.channelMultiple) }

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
        let shape = ConvolutionShape(
            side: side,
            inputChannels: inputChannels,
            outputChannels: outputChannels,
            pools: pools
        )
        let next = nextMap
        var implementations: [GraphStep.Implementation] = []
        if binding == .pixels {
            let first = kernels.count
            addFirst(index, shape, into: next)
            implementations.append(.init(fromImages: 1, kernels: first..<kernels.count, partImageCount: nil))
        } else {
            for (fromImages, kernel) in set.choices(for: shape, options) {
                let first = kernels.count
                var part: Int?
                if kernel.name.hasPrefix("winograd") {
                    part = addWinograd(index, shape, kernel, into: next)
                } else {
                    add(index, shape, kernel, into: next)
                }
                implementations.append(
                    .init(fromImages: fromImages, kernels: first..<kernels.count, partImageCount: part)
                )
            }
        }
        steps.append(GraphStep(shape: binding == .pixels ? nil : shape, implementations: implementations))
        binding = next
        channels = outputChannels
        exponent = scales.maps[index]
        if pools { side /= 2 }
        noteMap()
    }

    mutating func addMaxPool() throws(InferenceError) {
        guard binding != .pixels else { throw unsupported("it begins with a pooling") }
        guard side >= 2 else { throw unsupported("a map of side \(side) cannot be pooled") }
        let quads = paddedChannels / 4
        let kernel = Kernel.maxPool(set.storage)
        let groups = DispatchSize.batch((side / 2) * (side / 2) * quads, tile: kernel.tileItems)
        let next = nextMap
        appendStep(kernel, [side, quads], from: binding, to: next, [groups, .fixed(1), .fixed(1)])
        binding = next
        side /= 2
        noteMap()
    }

    mutating func addHeads() throws(InferenceError) {
        guard binding != .pixels else { throw unsupported("it has no convolution") }
        let quads = paddedChannels / 4
        let heads = ComputeGraph.heads.count
        let regionCount = RegionGrid(height: side, width: side).regions.count
        // gem3's floor in the map's scale, within the bounds that `head_reduce.comp` gives.
        let floor = min(max(1e-6 * Float.powerOfTwo(-exponent), 1e-12), 1e6)
        let reduce = Kernel.headReduce(set.storage)
        appendStep(
            reduce,
            [side * side, quads, channels, heads, Int(floor.bitPattern)],
            from: binding,
            to: .rows,
            [.fixed(4 * quads, tile: reduce.tileChannels), .batch(), .fixed(1)]
        )
        let regions = nextMap
        appendStep(
            .headRegions(set.storage),
            [side, quads],
            from: binding,
            to: regions,
            [.fixed(regionCount), .batch(), .fixed(1)]
        )
        binding = regions
        note(regionCount * quads * 16)
        appendStep(
            .headRMAC,
            [regionCount, quads, heads, Head.rmac.summaryRow],
            from: binding,
            to: .rows,
            [.fixed(4 * quads, tile: Kernel.headRMAC.tileChannels), .batch(), .fixed(1)]
        )
        appendStep(.headNormalise, [quads, heads], from: nil, to: .rows, [.fixed(heads), .batch(), .fixed(1)])
        byteCounts[.rows] = heads * quads * 16
    }

    // --- convolutions

    private mutating func addFirst(_ index: Int, _ shape: ConvolutionShape, into next: BufferBinding) {
        let kernel = set.first
        guard kernel.tileTerms == 0 else { return add(index, shape, kernel, into: next) }
        let cells = cells(of: shape)
        let padded = shape.outputChannels.rounded(upTo: set.channelMultiple)
        let layout = layout(index, shape, .fp32, .taps(rowsPerTap: 3, rowCount: 27), pitch: padded)
        append(
            kernel,
            [side, padded / 4, cells, shape.pools ? 1 : 0, isBGR],
            from: binding,
            layout,
            to: next,
            [.fixed(cells, tile: kernel.tileItems), .fixed(cells, tile: kernel.tileItems), .batch()]
        )
    }

    /// Direct, or on matrix units.
    private mutating func add(_ index: Int, _ shape: ConvolutionShape, _ kernel: Kernel, into next: BufferBinding) {
        let isFirst = binding == .pixels
        let onMatrixUnits = set.channelMultiple == 8
        let (inputs, outputs) = (
            shape.inputChannels.rounded(upTo: set.channelMultiple),
            shape.outputChannels.rounded(upTo: set.channelMultiple)
        )
        let cells = cells(of: shape)
        let rowsPerTap = isFirst ? 3 : inputs
        // On matrix units, every tile's stages and columns end within one layout.
        let arrangement = ParameterLayout.Arrangement.taps(
            rowsPerTap: rowsPerTap,
            rowCount: (9 * rowsPerTap).rounded(upTo: onMatrixUnits ? 64 : kernel.tileTerms)
        )
        let pitch = outputs.rounded(upTo: onMatrixUnits ? (outputs <= 64 ? 64 : 128) : kernel.tileChannels)
        let layout = layout(index, shape, set.storage, arrangement, pitch: pitch)
        let pool = shape.pools ? 1 : 0
        let constants =
            onMatrixUnits
            ? [kernel.threads, side, outputs / 8, cells, pool, isFirst ? 1 : inputs / 8, pitch / 8, isBGR]
            : [side, outputs / 4, cells, pool, inputs / 4]
        append(
            kernel,
            constants,
            from: binding,
            layout,
            to: next,
            [.batch(cells * cells, tile: kernel.tileItems), .fixed(outputs, tile: kernel.tileChannels), .fixed(1)]
        )
    }

    /// Three kernels for some images at a time.
    ///
    /// - Returns: how many.
    private mutating func addWinograd(
        _ index: Int,
        _ shape: ConvolutionShape,
        _ product: Kernel,
        into next: BufferBinding
    ) -> Int {
        let (inputs, outputs) = (
            shape.inputChannels.rounded(upTo: set.channelMultiple),
            shape.outputChannels.rounded(upTo: set.channelMultiple)
        )
        let tiles = side.divided(roundingUpBy: 4)
        let patches = tiles * tiles
        let rowCount = inputs.rounded(upTo: product.tileTerms)
        let pitch = outputs.rounded(upTo: product.tileChannels)
        let layout = layout(index, shape, set.storage, .winograd(rowCount: rowCount), pitch: pitch)
        let (input, output) = (Kernel.winogradInput(set.storage), Kernel.winogradOutput(set.storage))
        append(
            input,
            [side, inputs / 4, tiles],
            from: binding,
            nil,
            to: .scratch(0),
            [.batch(patches * inputs / 4, tile: input.tileItems), .fixed(1), .fixed(1)]
        )
        append(
            product,
            [tiles, outputs / 4, inputs / 4],
            from: .scratch(0),
            layout,
            to: .scratch(1),
            [.batch(patches, tile: product.tileItems), .fixed(outputs, tile: product.tileChannels), .fixed(36)]
        )
        append(
            output,
            [side, outputs / 4, tiles, shape.pools ? 1 : 0, pitch / 4],
            from: .scratch(1),
            layout,
            to: next,
            [.batch(patches * outputs / 4, tile: output.tileItems), .fixed(1), .fixed(1)]
        )
        let sizes = [36 * patches * inputs * set.storage.byteCount, 36 * patches * outputs * 4]
        let part = max(1, Self.scratchByteLimit / max(sizes[0], sizes[1]))
        for (number, bytes) in sizes.enumerated() {
            scratchByteCounts[.scratch(number)] = max(scratchByteCounts[.scratch(number)] ?? 0, bytes * part)
        }
        return part
    }

    // --- helpers

    private var nextMap: BufferBinding { binding == .map(0) ? .map(1) : .map(0) }
    private var isBGR: Int { network.preprocessing.channelOrder == .bgr ? 1 : 0 }

    private func cells(of shape: ConvolutionShape) -> Int {
        shape.pools ? shape.side / 2 : shape.side.divided(roundingUpBy: 2)
    }

    /// A new place in the parameters, or that of an equal layout.
    private mutating func layout(
        _ index: Int,
        _ shape: ConvolutionShape,
        _ storage: NumberStorage,
        _ arrangement: ParameterLayout.Arrangement,
        pitch: Int
    ) -> ParameterLayout {
        let layout = ParameterLayout(
            convolution: index,
            inputChannels: shape.inputChannels,
            outputChannels: shape.outputChannels,
            storage: storage,
            arrangement: arrangement,
            pitch: pitch,
            inputExponent: exponent,
            outputExponent: scales.maps[index],
            offset: parameterByteCount
        )
        if let known = parameters.last(where: { $0.isInterchangeable(with: layout) }) { return known }
        parameters.append(layout)
        parameterByteCount += layout.byteCount.rounded(upTo: target.offsetAlignment)
        return layout
    }

    private mutating func append(
        _ kernel: Kernel,
        _ constants: [Int],
        from source: BufferBinding?,
        _ parameters: ParameterLayout?,
        to target: BufferBinding,
        _ groups: [DispatchSize]
    ) {
        kernels.append(
            GraphKernel(
                kernel: kernel,
                constants: constants.map(UInt32.init),
                source: source,
                parameters: parameters,
                target: target,
                groups: groups
            )
        )
    }

    /// A step of one kernel.
    private mutating func appendStep(
        _ kernel: Kernel,
        _ constants: [Int],
        from source: BufferBinding?,
        to target: BufferBinding,
        _ groups: [DispatchSize]
    ) {
        append(kernel, constants, from: source, nil, to: target, groups)
        let own = kernels.count - 1..<kernels.count
        steps.append(GraphStep(shape: nil, implementations: [.init(fromImages: 1, kernels: own, partImageCount: nil)]))
    }

    private mutating func noteMap() { note(side * side * paddedChannels * set.storage.byteCount) }

    /// Bytes that an image needs in the current binding.
    private mutating func note(_ byteCount: Int) { byteCounts[binding] = max(byteCounts[binding] ?? 0, byteCount) }

    private func unsupported(_ detail: String) -> InferenceError {
        .unsupportedNetwork(name: network.name, detail: detail)
    }
}
