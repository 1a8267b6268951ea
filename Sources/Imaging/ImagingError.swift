/// Why an image cannot be read.
package struct ImagingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The stable name that the ledger and the protocol carry.
    package enum Code: String, Codable, Sendable, CaseIterable {
        /// The bytes break the format's rules.
        case corrupt
        /// No bytes at all.
        case empty
        /// Larger than a limit: bytes, pixels, side, scans, chunk, time, memory.
        case limitExceeded = "limit-exceeded"
        /// The file ends before the image does.
        case truncated
        /// Neither JPEG nor PNG, or a variant that the codec does not read.
        case unsupported
    }

    package let code: Code
    /// What exactly, with the numbers.
    package let detail: String

    package init(_ code: Code, _ detail: String) {
        self.code = code
        self.detail = detail
    }

    package var description: String { "\(code.rawValue): \(detail)" }
}
