package import LinearAlgebra

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
