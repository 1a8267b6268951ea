/// The push constants of every kernel: the block `Batch` of `Shaders/include/chain.glsl`, member by member.
struct BatchConstants {
    var imageCount: UInt32
    var mean: (Float, Float, Float)
    var scale: (Float, Float, Float)
}

/// Where a step of a chain reads or writes.
enum ChainPlace: Hashable {
    /// `[image, side, side, 3]` uint8.
    case pixels
    /// One of two activation buffers, which take turns: 0 or 1. The last holds the maxima of regions instead of a map.
    case map(Int)
    /// `[image, Chain.heads, channels]`: the summaries.
    case rows
}

/// Workgroups along one axis of a dispatch.
struct GroupExtent {
    /// Things to make, for each image when `growsWithBatch`.
    let items: Int
    /// Things a workgroup makes.
    let tile: Int
    let growsWithBatch: Bool

    static func fixed(_ items: Int, tile: Int = 1) -> GroupExtent {
        GroupExtent(items: items, tile: tile, growsWithBatch: false)
    }

    static func batch(_ items: Int = 1, tile: Int = 1) -> GroupExtent {
        GroupExtent(items: items, tile: tile, growsWithBatch: true)
    }

    func groups(imageCount: Int) -> Int { (growsWithBatch ? items * imageCount : items).divided(roundingUpBy: tile) }

    /// Images that keep the count of workgroups within `limit`.
    func maximumImageCount(limit: Int) -> Int {
        guard growsWithBatch else { return groups(imageCount: 1) <= limit ? .max : 0 }
        // Products of limits of billions and tiles stay far below 2^63.
        return limit * tile / items
    }
}

/// How one convolution's weights and bias lie in the parameter buffer: a row for each product term, then the bias.
struct ParameterLayout {
    /// Counts convolutions from 0.
    let convolution: Int
    let inputChannels: Int
    let outputChannels: Int
    /// Rows between two taps: input channels with their padding.
    let rowsPerTap: Int
    /// Rows before the bias, padding included.
    let rowCount: Int
    /// Elements of a row: output channels with their padding.
    let pitch: Int
    /// Bytes before it in the parameter buffer.
    let offset: Int

    var byteCount: Int { (rowCount + 1) * pitch * 4 }

    /// Fills the layout from fp32 OIHW weights and a bias; all padding becomes zero.
    ///
    /// - Complexity: O(weights).
    func pack(weights: Span<Float>, bias: Span<Float>, into target: UnsafeMutableBufferPointer<Float>) {
        precondition(
            weights.count == outputChannels * inputChannels * 9 && bias.count == outputChannels,
            "convolution \(convolution) has \(weights.count) weights and \(bias.count) biases"
        )
        precondition(target.count >= byteCount / 4, "\(target.count) elements for \(byteCount) bytes")
        target.update(repeating: 0)
        for output in 0..<outputChannels {
            for input in 0..<inputChannels {
                let source = (output * inputChannels + input) * 9
                for tap in 0..<9 {
                    target[(tap * rowsPerTap + input) * pitch + output] = weights[source + tap]
                }
            }
            target[rowCount * pitch + output] = bias[output]
        }
    }
}

/// One dispatch of a chain, for any count of images.
struct ChainStep {
    let kernel: Kernel
    /// Specialisation constants 0, 1, 2, ...
    let constants: [UInt32]
    let source: ChainPlace?
    let parameters: ParameterLayout?
    let target: ChainPlace
    /// x, y, z.
    let groups: [GroupExtent]
}
