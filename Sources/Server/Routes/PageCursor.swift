internal import Catalog
internal import Foundation
internal import Platform
internal import Wire

/// A page cursor, which says where a list goes on: opaque to clients, base64url of a kind byte and the last key shown,
/// so pages stay stable while images come and go.
enum PageCursor {
    private static let imageKind = UInt8(ascii: "i")
    private static let fileKind = UInt8(ascii: "f")

    static func text(after id: ImageID) -> String {
        encode([imageKind] + bigEndianBytes(id.rawValue))
    }

    static func text(after key: FileKey) -> String {
        encode([fileKind] + bigEndianBytes(key.root.rawValue) + key.path.bytes)
    }

    static func image(_ text: String) throws(Problem) -> ImageID {
        guard let bytes = decode(text), bytes.count == 9, bytes[0] == imageKind else { throw malformed }
        return ImageID(rawValue: bytes[1...].reduce(0) { $0 << 8 | UInt64($1) })
    }

    static func file(_ text: String) throws(Problem) -> FileKey {
        guard let bytes = decode(text), bytes.count > 5, bytes[0] == fileKind else { throw malformed }
        let root = RootID(rawValue: bytes[1..<5].reduce(0) { $0 << 8 | UInt32($1) })
        return FileKey(root: root, path: RelativePath(bytes: Array(bytes[5...])))
    }

    private static var malformed: Problem {
        Problem(.badRequest, "`cursor` is not one that this list gave; leave it out to begin at the start")
    }

    private static func bigEndianBytes<Number: FixedWidthInteger>(_ value: Number) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }

    private static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    private static func decode(_ text: String) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        let plain = text.replacing("-", with: "+").replacing("_", with: "/") + padding
        return Data(base64Encoded: plain).map { [UInt8]($0) }
    }
}
