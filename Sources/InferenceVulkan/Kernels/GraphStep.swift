/// The push constants of every kernel: the block `Batch` of `Shaders/include/chain.glsl`, member by member.
struct BatchConstants {
    var imageCount: UInt32
    var firstImage: UInt32 = 0
    var mean: (Float, Float, Float)
    var scale: (Float, Float, Float)
}

/// A buffer binding: where a kernel of a graph reads or writes.
enum BufferBinding: Hashable {
    /// `[image, side, side, 3]` uint8.
    case pixels
    /// One of two activation buffers, which take turns: 0 or 1. The last holds the maxima of regions instead of a map.
    case map(Int)
    /// `[image, ComputeGraph.heads, channels]`: the summaries.
    case rows
    /// What lies between the kernels of one step: Winograd's patches (0) and products (1) of some images.
    case scratch(Int)
}

/// The dispatch size along one axis: a count of workgroups.
struct DispatchSize {
    /// Things to make, for each image when `growsWithBatch`.
    let items: Int
    /// Things a workgroup makes.
    let tile: Int
    let growsWithBatch: Bool

    static func fixed(_ items: Int, tile: Int = 1) -> DispatchSize {
        DispatchSize(items: items, tile: tile, growsWithBatch: false)
    }

    static func batch(_ items: Int = 1, tile: Int = 1) -> DispatchSize {
        DispatchSize(items: items, tile: tile, growsWithBatch: true)
    }

    func groups(imageCount: Int) -> Int { (growsWithBatch ? items * imageCount : items).divided(roundingUpBy: tile) }

    /// Images that keep the count of workgroups within `limit`.
    func maximumImageCount(limit: Int) -> Int {
        guard growsWithBatch else { return groups(imageCount: 1) <= limit ? .max : 0 }
        // Products of limits of billions and tiles stay far below 2^63.
        return limit * tile / items
    }
}

/// A node of the graph, a kernel in its place: what a pipeline and a set of descriptors are made of, for any count of images.
struct GraphKernel {
    let kernel: Kernel
    /// Specialisation constants 0, 1, 2, ...
    let constants: [UInt32]
    let source: BufferBinding?
    let parameters: ParameterLayout?
    let target: BufferBinding
    /// x, y, z.
    let groups: [DispatchSize]
}

/// A layer or a part of the heads: what runs before the next may begin.
struct GraphStep {
    /// One implementation: the kernels that compute the step.
    struct Implementation {
        /// Images of a batch from which on it is the one of choice.
        let fromImages: Int
        /// Positions in `ComputeGraph.kernels`, to run one after the other.
        let kernels: Range<Int>
        /// Images that the kernels take at once; nil: all of them.
        let partImageCount: Int?
    }
    /// The convolution's shape; nil for other steps.
    let shape: ConvolutionShape?
    /// By rising `fromImages`; the first from 1 on.
    let implementations: [Implementation]

    func implementation(imageCount: Int) -> Implementation {
        implementations.last { $0.fromImages <= imageCount } ?? implementations[0]
    }
}

/// One dispatch of a kernel. Whatever follows it must wait for what it wrote.
struct GraphDispatch {
    /// Position in `ComputeGraph.kernels`.
    let kernel: Int
    let push: BatchConstants
    /// Workgroups along x, y, z.
    let groups: [Int]
}
