/// One compiled shader and what the host must know of it. The heads of `Shaders/*.comp` are the other side of this contract.
struct Kernel: Hashable {
    /// Name of the SPIR-V in `CShaders`.
    let name: String
    /// What a workgroup makes along x: 2x2 cells in a row (of the first layer a square of them on a side), patches, or items; 0
    /// where it makes one thing.
    var tileItems = 0
    /// Output channels a workgroup makes; 0: all of them.
    var tileChannels = 0
    /// Terms of the product taken in a step; 0 where there is no product.
    var tileTerms = 0
    /// Threads of a workgroup.
    var threads = 64
    /// Bytes of shared memory a workgroup needs.
    var sharedByteCount = 0
    /// Subgroups of a workgroup where their size matters, so that `threads` follows from the device; else 0.
    var subgroups = 0
    /// The size that each of `subgroups` must have, all of its threads running; nil where none matters.
    var subgroupSize: Int?

    /// The kernel on a device whose subgroups have `size` threads.
    ///
    /// - Returns: nil where the tile does not divide evenly among the threads.
    func sized(subgroup size: Int, isRequired: Bool) -> Kernel? {
        guard subgroups > 0 else { return self }
        var sized = self
        sized.threads = subgroups * size
        sized.subgroupSize = isRequired ? size : nil
        let octets = [4 * tileItems * tileTerms / 8, tileTerms * tileChannels / 8]
        let columns = [tileTerms / 8, tileChannels / 8]
        let divides =
            octets.allSatisfy { $0.isMultiple(of: sized.threads) }
            && columns.allSatisfy { sized.threads.isMultiple(of: $0) }
        return divides ? sized : nil
    }
}

/// How activations and weights lie in memory; arithmetic is fp32 always, but for products on matrix units.
enum NumberStorage: String {
    case fp32 = "f32"
    case fp16 = "f16"

    var byteCount: Int { self == .fp32 ? 4 : 2 }
}

extension Int {
    func divided(roundingUpBy divisor: Int) -> Int { (self + divisor - 1) / divisor }
    func rounded(upTo multiple: Int) -> Int { divided(roundingUpBy: multiple) * multiple }
}
