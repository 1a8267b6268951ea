internal import CVulkan
internal import Inference

/// A frame in flight: the buffers through which one piece of a batch goes in and out, and the command buffers recorded over them.
final class FrameInFlight {
    /// Host memory that pixels are copied into, and that rows come back to.
    let upload: Buffer
    let readback: Buffer
    let pixels: Buffer
    let rows: Buffer
    /// A set for each of the graph's kernels.
    let descriptors: DescriptorPool

    /// By images.
    private var uploads: [Int: VkCommandBuffer] = [:]
    private var computations: [Key: VkCommandBuffer] = [:]

    private struct Key: Hashable {
        let imageCount: Int
        let steps: Range<Int>
    }

    init(upload: Buffer, readback: Buffer, pixels: Buffer, rows: Buffer, descriptors: DescriptorPool) {
        self.upload = upload
        self.readback = readback
        self.pixels = pixels
        self.rows = rows
        self.descriptors = descriptors
    }

    /// What was recorded for so many images, else what `record` makes.
    func upload(
        imageCount: Int,
        _ record: () throws(InferenceError) -> VkCommandBuffer
    ) throws(InferenceError) -> VkCommandBuffer {
        if let known = uploads[imageCount] { return known }
        let commands = try record()
        uploads[imageCount] = commands
        return commands
    }

    /// What was recorded for these steps of so many images, else what `record` makes.
    func computation(
        imageCount: Int,
        steps: Range<Int>,
        _ record: () throws(InferenceError) -> VkCommandBuffer
    ) throws(InferenceError) -> VkCommandBuffer {
        let key = Key(imageCount: imageCount, steps: steps)
        if let known = computations[key] { return known }
        let commands = try record()
        computations[key] = commands
        return commands
    }
}
