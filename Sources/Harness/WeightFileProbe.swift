internal import Inference
package import ModelFiles

/// Reads bytes that are meant to break a reader: what fuzzing calls.
package struct WeightFileProbe: Sendable {
    private let format: WeightFormat

    /// Names of the readers.
    package static var formats: [String] { WeightFormat.allCases.map { "\($0)" } }

    /// Takes one of `formats`; nil for any other name.
    package init?(format name: String) {
        guard let format = WeightFormat.allCases.first(where: { "\($0)" == name }) else { return nil }
        self.format = format
    }

    /// Reads the bytes with this format's reader, whatever they begin with.
    ///
    /// What the reader returns is checked too: traps when its numbers are not those of its architecture, or not finite.
    ///
    /// - Returns: why they are refused, or nil when they are a network.
    package func refusal(_ bytes: [UInt8]) -> ModelFileError? {
        do throws(ModelFileError) {
            let content = try format.read(WeightBytes(bytes, name: "probe"))
            let convolutions = content.architecture.layers.convolutions
            let weights = content.weights
            precondition(weights.weights.map(\.count) == convolutions.map(\.weightCount))
            precondition(weights.biases.map(\.count) == convolutions.map(\.outputChannels))
            precondition((weights.weights + weights.biases).allSatisfy { $0.allSatisfy(\.isFinite) })
            return nil
        } catch {
            return error
        }
    }
}
