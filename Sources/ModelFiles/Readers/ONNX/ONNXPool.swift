/// The only pool between two stages: the maximum of 2x2 pixels, stride 2, odd edges dropped.
enum ONNXPool {
    /// What is different about a `MaxPool` node, or nil.
    static func problem(_ node: ONNXNode) throws(ModelFileError) -> String? {
        let attributes = try node.attributes()
        for (name, wanted, absent) in [
            ("kernel_shape", [2, 2], []), ("strides", [2, 2], [1, 1]), ("dilations", [1, 1], [1, 1]),
            ("pads", [0, 0, 0, 0], [0, 0, 0, 0]),
        ] as [(String, [Int64], [Int64])] {
            let found = attributes.integers(name) ?? absent
            if found != wanted { return "\(node.label) has \(name) \(found), expected \(wanted)" }
        }
        let padding = try attributes.text("auto_pad", default: "NOTSET")
        guard ["", "NOTSET", "VALID"].contains(padding) else { return "\(node.label) has auto_pad \(padding)" }
        guard try attributes.integer("ceil_mode", default: 0) == 0 else { return "\(node.label) rounds sizes up" }
        return nil
    }
}
