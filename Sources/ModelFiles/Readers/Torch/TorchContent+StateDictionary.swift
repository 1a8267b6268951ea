extension TorchContent {
    /// Keys under which checkpoints keep a state dict, beside an optimiser's and the epoch.
    private static let wrappers = ["state_dict", "model_state_dict", "model_state", "model", "net", "network"]
    private static let depthLimit = 4

    /// The tensors of the saved state dict, or of the one within a checkpoint, by their names.
    func stateDictionary(file: String) throws(ModelFileError) -> [String: TorchTensor] {
        var current = root
        for _ in 0..<Self.depthLimit {
            guard case .dictionary(let place) = current else { break }
            let entries = heap.entries(place)
            let wrapped = Self.wrappers.lazy.compactMap { wrapper in
                entries.first { entry in
                    if case .dictionary = entry.value { entry.key.text == wrapper } else { false }
                }
            }
            guard let inner = wrapped.first else { return try tensors(entries, file: file) }
            current = inner.value
        }
        throw .unsupportedNetwork(file: file, detail: "it holds no state dict")
    }

    private func tensors(
        _ entries: [(key: PickleValue, value: PickleValue)],
        file: String
    ) throws(ModelFileError) -> [String: TorchTensor] {
        var tensors: [String: TorchTensor] = [:]
        for entry in entries {
            guard let name = entry.key.text, let tensor = entry.value.tensor else { continue }
            guard tensors.updateValue(tensor, forKey: name) == nil else {
                throw .malformedWeights(file: file, detail: "tensor \(printable(name)) is there twice")
            }
        }
        guard !tensors.isEmpty else { throw .unsupportedNetwork(file: file, detail: "it holds no state dict") }
        return tensors
    }
}
