/// Named arrays of numbers, as most kinds of weight files hold them.
protocol TensorFile {
    /// For messages.
    var file: String { get }
    /// Lengths of the axes of every tensor, by its name.
    var shapes: [String: [Int]] { get }

    /// A tensor's numbers as fp32, the last axis fastest.
    ///
    /// - Throws: `.malformedWeights` naming the tensor when it is absent, of another number format, or holds NaN or infinity.
    func floats(_ name: String) throws(ModelFileError) -> [Float]
}
