internal import CIndexKernels
internal import COpenBLAS
internal import LinearAlgebra

/// Trains a quantizer from a sample of the stored vectors: how few principal components (PCA) tell neighbours apart,
/// and the range of the values.
struct QuantizerTrainer {
    let dimension: Int
    let kernels: DispatchTable
    /// Unit vectors, `[count][dimension]`.
    private let sample: [Float]
    private let count: Int
    /// Numbers of the vectors that ask, and their true neighbours with their similarities.
    private let queries: [Int]
    private let neighbours: [[(number: Int, score: Float)]]

    /// Neighbours that must be found, and among how many nearest by the principal components alone.
    private static let wanted = 10
    private static let among = 20
    /// Share of the neighbours that must be found there.
    static let containment = 0.995
    /// Principal components that find this much more of the neighbours are worth encoding everything again.
    private static let gain = 0.005
    private static let queryCount = 128
    /// Fewer vectors say too little of their principal components.
    private static let leastCount = 1_500
    /// Above it, finding eigenvectors takes seconds.
    private static let greatestDimension = 1024

    init(dimension: Int, sample: [Float], kernels: DispatchTable) {
        self.dimension = dimension
        self.kernels = kernels
        self.sample = sample
        count = sample.count / dimension
        let isEnough = count >= max(Self.leastCount, 2 * dimension) && dimension <= Self.greatestDimension
        guard isEnough, dimension >= 128 else {
            (queries, neighbours) = ([], [])
            return
        }
        openblas_set_num_threads(1)
        let step = count / Self.queryCount
        let queries = (0..<Self.queryCount).map { $0 * step }
        var scores = [Float](repeating: 0, count: queries.count * count)
        Self.addProducts(of: sample, width: dimension, columns: 0..<dimension, queries, to: &scores)
        self.queries = queries
        neighbours = queries.indices.map { Self.nearest(to: queries[$0], $0, count: sample.count / dimension, scores) }
    }

    /// The quantizer of the sample: `current` when another one would not be worth encoding everything again.
    func quantizer(current: ScalarQuantizer?) -> ScalarQuantizer {
        guard !queries.isEmpty, let trained = train() else {
            let range = QuantizationRange(sample, width: dimension)
            let plain = ScalarQuantizer(dimension: dimension, zeroPoint: range.zeroPoint, scale: range.scale)
            guard let current, current.pca == nil, !plain.differs(from: current) else { return plain }
            return current
        }
        guard let current, let pca = current.pca, pca.count == trained.pca.count else {
            return trained.quantizer
        }
        let components = project(along: pca)
        let found = containments(of: components, width: pca.count).last ?? 0
        return found + Self.gain < trained.found ? trained.quantizer : current
    }

    /// As few principal components as tell neighbours apart; nil when it takes more than half of them all.
    private func train() -> (quantizer: ScalarQuantizer, pca: PrincipalComponents, found: Double)? {
        let most = dimension / 2 / 64 * 64
        var moment = [Float](repeating: 0, count: dimension * dimension)
        let size = Int32(dimension)
        cblas_ssyrk(
            CblasRowMajor,
            CblasUpper,
            CblasTrans,
            size,
            Int32(count),
            1 / Float(count),
            sample,
            size,
            0,
            &moment,
            size
        )
        var vectors = moment.map(Double.init)
        guard (try? Eigenvectors.replace(&vectors, size: dimension)) != nil else { return nil }
        // The last rows have the greatest eigenvalues.
        func leading(_ count: Int) -> PrincipalComponents {
            PrincipalComponents(dimension: dimension, count: count) { number in
                let row = dimension - 1 - number
                return vectors[row * dimension..<(row + 1) * dimension].map(Float.init)
            }
        }
        let components = project(along: leading(most))
        let found = containments(of: components, width: most)
        guard let block = found.firstIndex(where: { $0 >= Self.containment }) else { return nil }
        let chosen = leading(64 * (block + 1))
        let values = project(along: chosen)
        let range = QuantizationRange(values, width: chosen.count)
        let quantizer = ScalarQuantizer(
            dimension: dimension,
            pca: chosen,
            zeroPoint: range.zeroPoint,
            scale: range.scale,
            errorBound: errorBound(of: values, width: chosen.count)
        )
        return (quantizer, chosen, found[block])
    }

    /// The sample projected on principal components, `[count][pca.count]`.
    private func project(along pca: PrincipalComponents) -> [Float] {
        let buffer = PrincipalComponents.allocate(pca.count)
        defer { buffer.deallocate() }
        var components: [Float] = []
        components.reserveCapacity(count * pca.count)
        sample.withUnsafeBufferPointer { sample in
            guard let base = sample.baseAddress else { return }
            for number in 0..<count {
                pca.project(base + number * dimension, to: buffer, kernels)
                components += UnsafeBufferPointer(start: buffer, count: pca.count)
            }
        }
        return components
    }

    /// Share of the true neighbours that lie among the nearest by the first 64, 128, ... components.
    private func containments(of components: [Float], width: Int) -> [Double] {
        var scores = [Float](repeating: 0, count: queries.count * count)
        return stride(from: 0, to: width, by: 64).map { first in
            Self.addProducts(of: components, width: width, columns: first..<first + 64, queries, to: &scores)
            var found = 0
            for (place, query) in queries.enumerated() {
                scores.withUnsafeBufferPointer { scores in
                    let row = UnsafeBufferPointer(rebasing: scores[place * count..<(place + 1) * count])
                    for neighbour in neighbours[place] {
                        // The query itself is above nearly always, and no neighbour.
                        var above = row[query] > row[neighbour.number] ? -1 : 0
                        for other in row where other > row[neighbour.number] { above += 1 }
                        if above < Self.among { found += 1 }
                    }
                }
            }
            return Double(found) / Double(queries.count * Self.wanted)
        }
    }

    /// How far neighbours' similarities lie above those of their components: the mean and four standard deviations.
    private func errorBound(of components: [Float], width: Int) -> Float {
        var scores = [Float](repeating: 0, count: queries.count * count)
        Self.addProducts(of: components, width: width, columns: 0..<width, queries, to: &scores)
        let gaps = queries.indices.flatMap { place in
            neighbours[place].map { Double($0.score - scores[place * count + $0.number]) }
        }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let variance = gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)
        return Float(mean + 4 * variance.squareRoot())
    }

    /// Adds to `scores`, `[queries][count]`, the products of some columns of `rows`, `[count][width]`.
    private static func addProducts(
        of rows: [Float],
        width: Int,
        columns: Range<Int>,
        _ queries: [Int],
        to scores: inout [Float]
    ) {
        let asked = queries.flatMap { rows[$0 * width + columns.lowerBound..<$0 * width + columns.upperBound] }
        let count = rows.count / width
        rows.withUnsafeBufferPointer { rows in
            guard let base = rows.baseAddress else { return }
            cblas_sgemm(
                CblasRowMajor,
                CblasNoTrans,
                CblasTrans,
                Int32(queries.count),
                Int32(count),
                Int32(columns.count),
                1,
                asked,
                Int32(columns.count),
                base + columns.lowerBound,
                Int32(width),
                1,
                &scores,
                Int32(count)
            )
        }
    }

    /// The best of row `place` of `scores`, without the query itself.
    private static func nearest(
        to query: Int,
        _ place: Int,
        count: Int,
        _ scores: [Float]
    ) -> [(number: Int, score: Float)] {
        var best = HitList(limit: wanted)
        for (number, score) in scores[place * count..<(place + 1) * count].enumerated() where number != query {
            guard score > best.floor else { continue }
            best.insert(IndexHit(slot: Slot(rawValue: UInt32(number)), score: score))
        }
        return best.hits.map { (Int($0.slot.rawValue), $0.score) }
    }
}
