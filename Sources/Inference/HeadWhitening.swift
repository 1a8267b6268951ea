/// A whitening that belongs to a model: learned where the network was trained, applied to every vector of one head.
///
/// Whitening of the user's own photos (`WhiteningLearner`) may follow; it sees the vectors that this one gives.
package struct HeadWhitening: Sendable, Equatable {
    /// The head whose vectors it was learned from. Vectors of other heads stay as they are.
    package let head: Head
    package let whitening: Whitening

    package init(head: Head, whitening: Whitening) {
        self.head = head
        self.whitening = whitening
    }

    /// What a pack says of it.
    struct Description: Codable, Hashable, Sendable {
        var head: Head
        var sampleCount: Int
    }

    var description: Description { Description(head: head, sampleCount: whitening.sampleCount) }
}

extension Network {
    /// The vector that an image gets of what a backend computed for it: whitened where the model says so.
    ///
    /// - Parameters:
    ///   - vector: `outputChannels` finite values of `head`, of length 1.
    ///   - head: which summary.
    /// - Returns: as many values, of length 1.
    /// - Complexity: O(outputChannels^2) where there is a whitening.
    package func finished(_ vector: [Float], head: Head) -> [Float] {
        guard let whitening, whitening.head == head else { return vector }
        return whitening.whitening.applied(to: vector)
    }
}

extension Safetensors {
    /// The whitening in a weight file: `whitening.mean` [d], `whitening.matrix` [d, d], and under `__metadata__` the texts
    /// `whitening_head` and `whitening_samples`.
    ///
    /// - Returns: nil where there are no such tensors.
    /// - Throws: `.malformedWeights` when they are there and wrong.
    func whitening(dimension: Int) throws(InferenceError) -> HeadWhitening? {
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
