/// One compiled shader and what the host must know of it. The heads of `Shaders/*.comp` are the other side of this contract.
struct Kernel: Hashable {
    /// Name of the SPIR-V in `CShaders`.
    let name: String
    /// 2x2 cells a workgroup makes, in a row of cells or a square of them; 0 where cells mean nothing.
    let tileCells: Int
    /// Output channels a workgroup makes; 0: all of them.
    let tileChannels: Int
    /// Threads of a workgroup.
    let threads: Int
    /// Bytes of shared memory a workgroup needs.
    let sharedByteCount: Int

    /// A side of 8 cells.
    static let firstConvolution = Kernel(
        name: "convolution_first_f32",
        tileCells: 8,
        tileChannels: 0,
        threads: 64,
        sharedByteCount: 3 * 18 * 18 * 4
    )

    /// Wide layers last: the choice among equals falls on the last one, which reads each input fewest times.
    static let convolutions = [
        convolution(pixels: 256, channels: 16),
        convolution(pixels: 128, channels: 32),
        convolution(pixels: 64, channels: 64),
    ]

    static let maxPool = Kernel(
        name: "maxpool_2x2_f32",
        tileCells: 0,
        tileChannels: 0,
        threads: 128,
        sharedByteCount: 0
    )
    static let headReduce = Kernel(
        name: "head_reduce_f32",
        tileCells: 0,
        tileChannels: 32,
        threads: 128,
        sharedByteCount: 3 * 128 * 16
    )
    static let headRegions = Kernel(
        name: "head_regions_f32",
        tileCells: 0,
        tileChannels: 0,
        threads: 64,
        sharedByteCount: 64 * 4
    )
    static let headRMAC = Kernel(
        name: "head_rmac_f32",
        tileCells: 0,
        tileChannels: 256,
        threads: 64,
        sharedByteCount: 0
    )
    static let headNormalise = Kernel(
        name: "head_normalise_f32",
        tileCells: 0,
        tileChannels: 0,
        threads: 64,
        sharedByteCount: 64 * 4
    )

    /// Every kernel of the fp32 tier.
    static let all = [firstConvolution] + convolutions + [maxPool, headReduce, headRegions, headRMAC, headNormalise]

    /// Rows of the product that `convolution_3x3_f32` takes in a step.
    static let convolutionStep = 16

    /// The convolution that wastes the fewest output channels; the widest tile among equals.
    static func convolution(outputChannels: Int) -> Kernel {
        var best = convolutions[0]
        for kernel in convolutions
        where outputChannels.rounded(upTo: kernel.tileChannels) <= outputChannels.rounded(upTo: best.tileChannels) {
            best = kernel
        }
        return best
    }

    private static func convolution(pixels: Int, channels: Int) -> Kernel {
        Kernel(
            name: "convolution_3x3_f32_m\(pixels)n\(channels)",
            tileCells: pixels / 4,
            tileChannels: channels,
            threads: pixels * channels / 64,
            sharedByteCount: convolutionStep * (pixels + 4 + channels) * 4
        )
    }
}

extension Int {
    func divided(roundingUpBy divisor: Int) -> Int { (self + divisor - 1) / divisor }
    func rounded(upTo multiple: Int) -> Int { divided(roundingUpBy: multiple) * multiple }
}
