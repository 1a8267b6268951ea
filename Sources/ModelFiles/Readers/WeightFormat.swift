internal import Inference

/// The kinds of weight files that are read, told apart by their first bytes, never by their names.
package enum WeightFormat: CaseIterable, Sendable {
    /// An 8-byte header length, then JSON.
    case safetensors
    /// PyTorch's zip archive (1.6 and later) or its older sequence of pickles.
    case torch
    /// HDF5 as Keras writes it.
    case keras
    /// A protocol buffer, which has no signature: what is nothing else.
    case onnx

    /// What a file begins like; nil when it is too short to be any of them.
    init?(_ bytes: WeightBytes) throws(ModelFileError) {
        guard bytes.count >= 9 else { return nil }
        let start = try bytes.read(0..<9)
        self =
            switch (start[0], start[1], start[2], start[3]) {
            case (0x50, 0x4B, 0x03, 0x04): .torch
            case (0x80, 0x02...0x05, _, _): .torch
            case (0x89, 0x48, 0x44, 0x46): .keras
            default: start[8] == UInt8(ascii: "{") ? .safetensors : .onnx
            }
    }

    /// What networks in files of this kind were trained with, unless the user says otherwise.
    var usualPreprocessing: Preprocessing {
        switch self {
        case .safetensors, .keras: .keras
        case .torch, .onnx: .torchvision
        }
    }
}
