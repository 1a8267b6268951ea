internal import Inference

/// How the kernel of a convolution is chosen, where the tier leaves a choice.
package struct KernelOptions: Sendable {
    /// What was measured on this device.
    package var tuning: Tuning?
    /// The tiers on matrix units with arrays for matrices: for devices without such units, in tests.
    package var emulatesMatrixUnits = false
    /// The kernel to use wherever it fits, so that a self-test or a measurement meets it.
    package var preferredKernel: String?

    package init() {}
}

/// The kernels of one tier on one device, and the rules of choice among them.
struct KernelSet {
    let storage: NumberStorage
    /// What channels of activations are padded to.
    let channelMultiple: Int
    let first: Kernel
    /// For convolutions: direct, then Winograd's products. The wide ones last.
    private let direct: [Kernel]
    private let winograd: [Kernel]
    /// For convolutions on matrix units, safe defaults first; none in the other tiers.
    private let matrix: [Kernel]
    private let defaults: [Kernel]

    /// Workgroups of a dispatch from which a tile counts as small enough to keep a device busy.
    private static let busyGroupCount = 128

    init(_ tier: Tier, _ target: GraphTarget, emulatesMatrixUnits: Bool) {
        // Arrays know no subgroups; 32 threads stand for one.
        let subgroupSize = emulatesMatrixUnits ? 32 : target.subgroupSize
        let isRequired = target.requiresSubgroupSize && !emulatesMatrixUnits
        func fitting(_ kernels: [Kernel]) -> [Kernel] {
            kernels.filter { $0.sharedByteCount <= target.sharedByteLimit }
                .compactMap { $0.sized(subgroup: subgroupSize, isRequired: isRequired) }
        }
        storage = tier == .fp32 ? .fp32 : .fp16
        switch tier {
        case .fp32, .fp16:
            channelMultiple = 4
            first = .first(storage)
            direct = Kernel.direct(storage)
            winograd = Kernel.winogradProducts(storage)
            (matrix, defaults) = ([], [])
        case .cooperative, .cooperative2:
            channelMultiple = 8
            let first = emulatesMatrixUnits ? Kernel.scalarFirst : Kernel.cooperativeFirst
            self.first = fitting([first]).first ?? .first(.fp16)
            (direct, winograd) = ([], [])
            let subgroup = fitting(emulatesMatrixUnits ? Kernel.scalar : Kernel.cooperative)
            let workgroup = emulatesMatrixUnits ? Kernel.scalar2 : Kernel.cooperative2
            matrix = (tier == .cooperative ? [] : Self.fitting(workgroup, target)) + subgroup
            // One of each tile, the large ones first.
            var shapes: Set<[Int]> = []
            defaults = matrix.filter { kernel in
                guard kernel.tileItems <= 32 else { return false }
                return shapes.insert([kernel.tileItems, kernel.tileChannels]).inserted
            }
            .sorted { ($0.tileItems * $0.tileChannels, $0.tileItems) > ($1.tileItems * $1.tileChannels, $1.tileItems) }
        }
    }

    /// Kernels whose workgroup owns its matrices as a whole.
    private static func fitting(_ kernels: [Kernel], _ target: GraphTarget) -> [Kernel] {
        kernels.compactMap { kernel in
            var kernel = kernel
            kernel.threads = target.workgroupMatrixThreads
            let octets = 4 * kernel.tileItems * kernel.tileTerms / 8
            let fits = kernel.sharedByteCount + target.workgroupMatrixByteCount <= target.sharedByteLimit
            let divides =
                octets.isMultiple(of: kernel.threads) && kernel.threads.isMultiple(of: kernel.tileChannels / 8)
            return fits && divides ? kernel : nil
        }
    }

    /// All kernels that can compute `shape`, for measurements.
    func candidates(for shape: ConvolutionShape) -> [Kernel] {
        let wide = matrix.filter { $0.tileChannels <= 64 || shape.outputChannels > 64 }
        guard direct.isEmpty else { return direct + (suitsWinograd(shape) ? winograd : []) }
        return wide
    }

    /// The kernels to compute `shape` with, each from a count of images on; the first from 1 on.
    func choices(for shape: ConvolutionShape, _ options: KernelOptions) -> [(fromImages: Int, kernel: Kernel)] {
        let candidates = candidates(for: shape)
        func named(_ name: String) -> Kernel? { candidates.first { $0.name == name } }
        if let name = options.preferredKernel, let kernel = named(name) { return [(1, kernel)] }
        if let measured = options.tuning?.choices(for: shape) {
            let known = measured.compactMap { choice in named(choice.kernel).map { (choice.fromImages, $0) } }
            // A name that is gone is a miss.
            if known.count == measured.count, let first = known.first, first.0 == 1 { return known }
        }
        return direct.isEmpty ? tiles(for: shape) : [(1, arithmetic(for: shape))]
    }

    /// Names of the kernels that the convolutions of `network` may use, in the order of their first use.
    func kernelNames(for network: Network, _ options: KernelOptions) -> [String] {
        var names: [String] = []
        for shape in network.convolutionShapes {
            for (_, kernel) in choices(for: shape, options) where !names.contains(kernel.name) {
                names.append(kernel.name)
            }
        }
        return names
    }

    /// The convolution that wastes the fewest output channels, the widest tile among equals; Winograd where it saves half of
    /// the products.
    private func arithmetic(for shape: ConvolutionShape) -> Kernel {
        let kernels = suitsWinograd(shape) ? winograd : direct
        var best = kernels[0]
        for kernel in kernels
        where shape.outputChannels.rounded(upTo: kernel.tileChannels)
            <= shape.outputChannels.rounded(upTo: best.tileChannels)
        { best = kernel }
        return best
    }

    /// The largest tile that keeps the device busy; small ones read their operands more often.
    private func tiles(for shape: ConvolutionShape) -> [(fromImages: Int, kernel: Kernel)] {
        var choices: [(fromImages: Int, kernel: Kernel)] = []
        for kernel in defaults.filter(candidates(for: shape).contains) {
            let columns = shape.outputChannels.divided(roundingUpBy: kernel.tileChannels)
            let rows = Self.busyGroupCount.divided(roundingUpBy: columns)
            let images = max(1, ((rows - 1) * kernel.tileItems + 1).divided(roundingUpBy: shape.cellCount))
            if images < choices.first?.fromImages ?? .max { choices.insert((images, kernel), at: 0) }
        }
        if let smallest = choices.first?.kernel { choices[0] = (1, smallest) }
        return choices
    }

    /// Transforms cost what narrow layers cannot repay, and border patches of small maps are mostly padding.
    private func suitsWinograd(_ shape: ConvolutionShape) -> Bool {
        let patches = shape.side.divided(roundingUpBy: 4)
        return shape.inputChannels >= 32 && shape.outputChannels >= 32
            && 9 * shape.side * shape.side >= 2 * 36 * patches * patches
    }
}
