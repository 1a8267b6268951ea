import Foundation
import Imaging

/// Tiny JPEG files of one colour, made with Pillow 13.
enum Fixtures {
    /// 16x16, RGB (200, 40, 90), progressive.
    static let progressive = decoded(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAx
        NDQ0Hyc5PTgyPC4zNDL/2wBDAQkJCQwLDBgNDRgyIRwhMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIyMjIy
        MjIyMjIyMjL/wgARCAAQABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAX/xAAVAQEBAAAAAAAAAAAAAAAAAAABBv/a
        AAwDAQACEAMQAAABnAov/8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABBQIf/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgB
        AwEBPwF//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPwF//8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQAGPwIf/8QA
        FBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPyEf/9oADAMBAAIAAwAAABAD/8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAwEB
        PxB//8QAFBEBAAAAAAAAAAAAAAAAAAAAAP/aAAgBAgEBPxB//8QAFBABAAAAAAAAAAAAAAAAAAAAIP/aAAgBAQABPxAf/9k=
        """
    )

    /// 16x16, gray 77.
    static let gray = decoded(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAgGBgcGBQgHBwcJCQgKDBQNDAsLDBkSEw8UHRofHh0aHBwgJC4nICIsIxwcKDcpLDAx
        NDQ0Hyc5PTgyPC4zNDL/wAALCAAQABABAREA/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oA
        CAEBAAA/AIwB/9k=
        """
    )

    /// 16x16, CMYK (10, 200, 120, 40), stored inverted with Adobe's marker: RGB (207, 46, 114).
    static let cmyk = decoded(
        """
        /9j/7gAOQWRvYmUAZAAAAAAA/9sAQwAIBgYHBgUIBwcHCQkICgwUDQwLCwwZEhMPFB0aHx4dGhwcICQuJyAiLCMcHCg3KSwwMTQ0
        NB8nOT04MjwuMzQy/8AAFAgAEAAQBEMRAE0RAFkRAEsRAP/EABYAAQEBAAAAAAAAAAAAAAAAAAAHA//EABQQAQAAAAAAAAAAAAAA
        AAAAAAD/2gAOBEMATQBZAEsAAD8AuqbN1XAAAAf/2Q==
        """
    )

    private static func decoded(_ text: String) -> [UInt8] {
        [UInt8](Data(base64Encoded: text, options: .ignoreUnknownCharacters) ?? Data())
    }

    /// A TIFF structure whose only entry is the orientation.
    static func exif(orientation: Int, isBigEndian: Bool = true) -> [UInt8] {
        let value = UInt8(orientation)
        return isBigEndian
            ? [0x4d, 0x4d, 0, 42, 0, 0, 0, 8, 0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, value, 0, 0, 0, 0, 0, 0]
            : [0x49, 0x49, 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 0x01, 3, 0, 1, 0, 0, 0, value, 0, 0, 0, 0, 0, 0, 0]
    }

    /// The same JPEG with an Exif segment after its start marker.
    static func jpeg(_ file: [UInt8], exif: [UInt8]) -> [UInt8] {
        let body = Array("Exif\0\0".utf8) + exif
        let length = body.count + 2
        return file[..<2] + [0xff, 0xe1, UInt8(length >> 8), UInt8(length & 255)] + body + file[2...]
    }
}

extension ImageDecoder {
    /// The square as an array.
    func square(_ encoded: [UInt8], _ fit: Fit) throws(ImagingError) -> (pixels: [UInt8], properties: ImageProperties) {
        var pixels = [UInt8](repeating: 0, count: fit.side * fit.side * 3)
        var span = pixels.mutableSpan
        let properties = try decode(encoded, fit: fit, into: &span)
        return (pixels, properties)
    }

    /// The code of the error that decoding throws; nil when it throws none.
    func failure(_ encoded: [UInt8]) -> ImagingError? {
        do throws(ImagingError) {
            _ = try square(encoded, .squash(side: 16))
            return nil
        } catch {
            return error
        }
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers for the same seed on every machine.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
