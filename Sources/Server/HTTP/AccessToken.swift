internal import Platform

/// The secret that a browser shows on the TCP listener.
package struct AccessToken: Sendable {
    /// As it is written in `Authorization: Bearer`.
    package let text: String

    /// Takes a secret of 43 to 256 letters, digits, `-` and `_`: 256 bits in base64url or hexadecimal. Nil for anything
    /// else.
    package init?(_ text: String) {
        let isFit = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isFit, (43...256).contains(text.utf8.count) else { return nil }
        self.text = text
    }

    private init(trusted text: String) { self.text = text }

    /// A new secret of 256 random bits, 64 hexadecimal digits.
    package static func random() -> AccessToken {
        AccessToken(trusted: [UInt8].random(count: 32).hexadecimal)
    }

    /// Whether `shown` is the secret. The time taken tells nothing but its length.
    func matches(_ shown: some StringProtocol) -> Bool {
        let (expected, got) = (Array(text.utf8), Array(shown.utf8))
        guard expected.count == got.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(expected, got) { difference |= a ^ b }
        return difference == 0
    }
}
