/// Moments as the API writes them.
package enum Timestamp {
    /// ISO 8601 in UTC, to the second, rounded down, from nanoseconds since 1970: `2021-05-03T12:00:00Z`. Years have
    /// four digits (an `Int64` reaches from 1677 to 2262), so the texts are in the order of their moments.
    package static func text(_ nanoseconds: Int64) -> String {
        String(decoding: bytes(nanoseconds), as: UTF8.self)
    }

    /// The same as ASCII.
    package static func bytes(_ nanoseconds: Int64) -> [UInt8] {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        let whole = seconds - (rest < 0 ? 1 : 0)
        let day = whole / 86400 - (whole % 86400 < 0 ? 1 : 0)
        let second = whole - day * 86400
        let date = civil(day: day)
        var text: [UInt8] = []
        append(date.year, digits: 4, "-", to: &text)
        append(date.month, digits: 2, "-", to: &text)
        append(date.day, digits: 2, "T", to: &text)
        append(second / 3600, digits: 2, ":", to: &text)
        append(second / 60 % 60, digits: 2, ":", to: &text)
        append(second % 60, digits: 2, "Z", to: &text)
        return text
    }

    /// The Gregorian date of a day counted from 1970-01-01. In years from March, the leap day is the last, and the
    /// months' lengths repeat every five: 153 days.
    private static func civil(day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        // Days from 0000-03-01; an Int64 of nanoseconds begins in 1677.
        let shifted = day + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            era * 400 + yearOfEra + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }

    private static func append(_ number: Int64, digits: Int, _ separator: Unicode.Scalar, to text: inout [UInt8]) {
        var scale: Int64 = 1
        for _ in 1..<digits { scale *= 10 }
        while scale > 0 {
            text.append(UInt8(ascii: "0") + UInt8(number / scale % 10))
            scale /= 10
        }
        text.append(UInt8(ascii: separator))
    }
}
