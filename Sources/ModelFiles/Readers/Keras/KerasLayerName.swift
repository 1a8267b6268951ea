/// A convolution's name in the VGG networks of Keras, `block3_conv2`: the second of the third stage.
struct KerasLayerName: Hashable, Comparable, CustomStringConvertible {
    /// 1 to 64.
    let stage: Int
    /// In its stage, 1 to 64.
    let position: Int

    /// - Returns: nil for a name of another form.
    init?(_ name: String) {
        let parts = name.split(separator: "_", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].hasPrefix("block"), parts[1].hasPrefix("conv"),
            let stage = Int(parts[0].dropFirst(5)), let position = Int(parts[1].dropFirst(4)),
            (1...64).contains(stage), (1...64).contains(position)
        else { return nil }
        self.stage = stage
        self.position = position
        guard description == name else { return nil }
    }

    /// Whether a layer of this name would stand between the convolutions: `block1_bn2` changes what they compute.
    static func isOfBlock(_ name: String) -> Bool {
        name.hasPrefix("block") && name.dropFirst(5).first.map { ("0"..."9").contains($0) } == true
    }

    var description: String { "block\(stage)_conv\(position)" }

    static func < (a: Self, b: Self) -> Bool { (a.stage, a.position) < (b.stage, b.position) }
}
