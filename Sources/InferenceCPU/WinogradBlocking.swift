internal import CConvolution
internal import Glibc

/// How a Winograd convolution's work is cut into tasks, derived from the size of a core's own cache.
///
/// A task holds the left factors and the products of its tiles in that cache, for a part of the input and a part of the
/// output channels, while the weights stream by once a task. More tiles mean fewer streams of weights; more output channels mean that the
/// input is transformed less often; more input channels at a time mean that products are added up less often. With T tiles
/// the weights stream at 119/T bytes a cycle through a core that multiplies 32 pairs a cycle, and a cache shared by all
/// cores gives about 9: 30 tiles leave room.
struct WinogradBlocking: Sendable {
    /// Input channels that are multiplied at a time; equal parts but for the last.
    let depthParts: [Range<Int>]
    /// Output channels of a task; equal parts but for the last.
    let columnParts: [Range<Int>]
    /// Tiles of a task at most. Fewer tiles in all may make larger blocks, up to this.
    let tileLimit: Int

    /// A panel of the right factor, 64 columns wide, leaves a quarter of a first-level cache of 32 KiB with this depth.
    private static let ownDepth = 96
    /// BLAS copies both factors at every call, which longer products make worth it.
    private static let blasDepth = 256
    private static let columns = 128

    /// - Parameters:
    ///   - inputChannels: padded.
    ///   - outputChannels: padded.
    ///   - isBLAS: products are BLAS's, not the kernels' own.
    ///   - cacheByteCount: of the second-level cache, which a core has to itself.
    init(inputChannels: Int, outputChannels: Int, isBLAS: Bool, cacheByteCount: Int = Self.secondLevelCache) {
        depthParts = Self.parts(of: inputChannels, isBLAS ? Self.blasDepth : Self.ownDepth)
        columnParts = Self.parts(of: outputChannels, Self.columns)
        let perTile = 4 * Kernels.planeCount * (depthParts[0].count + columnParts[0].count)
        let rows = Int(CCONVOLUTION_ROWS)
        // The rest is for the map and the weights that stream by.
        tileLimit = max(rows, cacheByteCount / 20 * 19 / perTile / rows * rows)
    }

    /// As few parts as `limit` allows, of about equal size.
    private static func parts(of count: Int, _ limit: Int) -> [Range<Int>] {
        let partCount = (count + limit - 1) / limit
        let size = Kernels.padded((count + partCount - 1) / partCount)
        return stride(from: 0, to: count, by: size).map { $0..<min(count, $0 + size) }
    }

    /// Bytes; a common size where the system does not tell.
    static var secondLevelCache: Int {
        let told = sysconf(Int32(_SC_LEVEL2_CACHE_SIZE))
        return told > 0 ? told : 1 << 20
    }

    /// Tiles of a block when there are `tileCount`: blocks of about equal size.
    func tileCount(of tileCount: Int) -> Int {
        let rows = Int(CCONVOLUTION_ROWS)
        let blocks = (tileCount + tileLimit - 1) / tileLimit
        let even = (tileCount + blocks - 1) / max(1, blocks)
        return max(1, min(tileCount, (even + rows - 1) / rows * rows))
    }
}
