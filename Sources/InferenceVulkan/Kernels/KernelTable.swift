/// The table of kernels: one row a variant, sizes as in `Shaders/kernels.txt`.
extension Kernel {
    // --- any device

    /// A side of 8 cells.
    static func first(_ storage: NumberStorage) -> Kernel {
        Kernel(
            name: "convolution_first_\(storage.rawValue)",
            tileItems: 8,
            threads: 64,
            sharedByteCount: 3 * 18 * 18 * 4
        )
    }

    /// Wide layers last: the choice among equals falls on the last one, which reads each input fewest times.
    static func direct(_ storage: NumberStorage) -> [Kernel] {
        [(256, 16), (128, 32), (64, 64)].map { pixels, channels in
            Kernel(
                name: "convolution_3x3_\(storage.rawValue)_m\(pixels)n\(channels)",
                tileItems: pixels / 4,
                tileChannels: channels,
                tileTerms: 16,
                threads: pixels * channels / 64,
                sharedByteCount: 16 * (pixels + 4 + channels) * 4
            )
        }
    }

    static func winogradInput(_ storage: NumberStorage) -> Kernel {
        Kernel(name: "winograd_input_\(storage.rawValue)", tileItems: 64, threads: 64)
    }

    static func winogradProducts(_ storage: NumberStorage) -> [Kernel] {
        [(64, 32), (64, 64)].map { patches, channels in
            Kernel(
                name: "winograd_product_\(storage.rawValue)_p\(patches)n\(channels)",
                tileItems: patches,
                tileChannels: channels,
                tileTerms: 16,
                threads: patches * channels / 64,
                sharedByteCount: 16 * (patches + 1 + channels) * 4
            )
        }
    }

    static func winogradOutput(_ storage: NumberStorage) -> Kernel {
        Kernel(name: "winograd_output_\(storage.rawValue)", tileItems: 64, threads: 64)
    }

    static func maxPool(_ storage: NumberStorage) -> Kernel {
        Kernel(name: "maxpool_2x2_\(storage.rawValue)", tileItems: 128, threads: 128)
    }

    static func headReduce(_ storage: NumberStorage) -> Kernel {
        Kernel(
            name: "head_reduce_\(storage.rawValue)",
            tileChannels: 32,
            threads: 128,
            sharedByteCount: 3 * 128 * 16
        )
    }

    static func headRegions(_ storage: NumberStorage) -> Kernel {
        Kernel(name: "head_regions_\(storage.rawValue)", threads: 64, sharedByteCount: 64 * 4)
    }

    static let headRMAC = Kernel(name: "head_rmac_f32", tileChannels: 256, threads: 64)
    static let headNormalise = Kernel(name: "head_normalise_f32", threads: 64, sharedByteCount: 64 * 4)

    // --- matrix units

    static let cooperativeFirst = cooperative("convolution_first_cooperative_m128n64", 128, 64, 32, groups: 2, 2)

    /// The first of each width is the safe default; the rest only where measured.
    static let cooperative = [
        cooperative(128, 128, 32, groups: 2, 4), cooperative(128, 128, 32, groups: 2, 2),
        cooperative(256, 128, 16, groups: 4, 2), cooperative(128, 64, 32, groups: 2, 2),
        cooperative(64, 64, 32, groups: 2, 2), cooperative(64, 64, 64, groups: 2, 2),
        cooperative(32, 64, 64, groups: 1, 4),
    ]

    /// The same source with arrays for matrices.
    static let scalarFirst = cooperative("convolution_first_scalar_m128n64", 128, 64, 32, groups: 2, 2)
    static let scalar = [
        scalar(128, 128, 16, groups: 2, 4), scalar(128, 64, 32, groups: 2, 2), scalar(64, 64, 32, groups: 2, 2),
        scalar(32, 64, 64, groups: 1, 4),
    ]

    static let cooperative2 = [
        workgroup("cooperative2", 128, 128, 64), workgroup("cooperative2", 128, 64, 64),
        workgroup("cooperative2", 64, 64, 64),
    ]

    /// The same source with arrays for matrices.
    static let scalar2 = [workgroup("scalar2", 64, 64, 64)]

    private static func workgroup(_ source: String, _ m: Int, _ n: Int, _ k: Int) -> Kernel {
        Kernel(
            name: "convolution_3x3_\(source)_m\(m)n\(n)k\(k)",
            tileItems: m / 4,
            tileChannels: n,
            tileTerms: k,
            threads: 0,
            sharedByteCount: 16 * max(2 * m * (k / 8 + 1), m * (n / 8 + 1))
        )
    }

    private static func cooperative(_ m: Int, _ n: Int, _ k: Int, groups gm: Int, _ gn: Int) -> Kernel {
        cooperative("convolution_3x3_cooperative_m\(m)n\(n)k\(k)g\(gm)x\(gn)", m, n, k, groups: gm, gn)
    }

    private static func scalar(_ m: Int, _ n: Int, _ k: Int, groups gm: Int, _ gn: Int) -> Kernel {
        cooperative("convolution_3x3_scalar_m\(m)n\(n)k\(k)g\(gm)x\(gn)", m, n, k, groups: gm, gn)
    }

    private static func cooperative(
        _ name: String,
        _ m: Int,
        _ n: Int,
        _ k: Int,
        groups gm: Int,
        _ gn: Int
    ) -> Kernel {
        Kernel(
            name: name,
            tileItems: m / 4,
            tileChannels: n,
            tileTerms: k,
            threads: 0,
            sharedByteCount: 16 * max(2 * (m * (k / 8 + 1) + k * (n / 8 + 1)), 16 * gm * (n / 4 + 1)),
            subgroups: gm * gn
        )
    }
}
