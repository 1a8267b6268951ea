internal import Inference
internal import LinearAlgebra

extension HeadWhitening {
    /// What a packed model file says of it.
    struct Description: Codable, Hashable, Sendable {
        var head: Head
        var sampleCount: Int
    }

    var description: Description { Description(head: head, sampleCount: whitening.sampleCount) }
}

extension Safetensors {
    /// The whitening in a weight file: `whitening.mean` [d], `whitening.matrix` [d, d], and under `__metadata__` the texts
    /// `whitening_head` and `whitening_samples`.
    ///
    /// - Returns: nil where there are no such tensors.
    /// - Throws: `.malformedWeights` when they are there and wrong.
    func whitening(dimension: Int) throws(ModelFileError) -> HeadWhitening? {
        guard let shape = tensors["whitening.matrix"]?.shape else { return nil }
        guard shape == [dimension, dimension], let head = metadata["whitening_head"].flatMap(Head.init),
            let sampleCount = metadata["whitening_samples"].flatMap(Int.init),
            let whitening = Whitening(
                mean: try floats("whitening.mean"),
                matrix: try floats("whitening.matrix"),
                sampleCount: sampleCount
            )
        else {
            throw .malformedWeights(
                file: file,
                detail: "its whitening is none of \(dimension) dimensions with a head and a number of samples"
            )
        }
        return HeadWhitening(head: head, whitening: whitening)
    }
}
