/// Percent-encoding (RFC 3986) of names: how JSON, which holds text only, says bytes of any kind.
extension [UInt8] {
    private static let digits = [UInt8]("0123456789ABCDEF".utf8)

    /// Letters, digits, `-._~` and `/` as they are, every other byte as `%XX`.
    package var percentEncoded: String {
        var text: [UInt8] = []
        text.reserveCapacity(count)
        for byte in self {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"):
                text.append(byte)
            default: text += [UInt8(ascii: "%"), Self.digits[Int(byte >> 4)], Self.digits[Int(byte & 15)]]
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What stands for a name that is not UTF-8, beside its text with replacement characters; nil where the text is the name.
    package var percentEncodedUnlessText: String? {
        do {
            _ = try UTF8Span(validating: span)
            return nil
        } catch {
            return percentEncoded
        }
    }

    /// The bytes that a text stands for; what needs no escape may have none.
    ///
    /// - Returns: nil where a percent sign is not followed by two hexadecimal digits.
    package init?(percentEncoded text: String) {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst()?.hexadecimalDigit, let low = rest.popFirst()?.hexadecimalDigit else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self = bytes
    }
}

extension UInt8 {
    fileprivate var hexadecimalDigit: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
