internal import Foundation

/// Values as people read them.
enum Text {
    /// Without control characters, so that a file name can neither break a line nor command a terminal.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": shown += "\\n"
            case "\t": shown += "\\t"
            case _ where isControl(scalar): shown += "\\u{\(String(scalar.value, radix: 16))}"
            default: shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    /// The same for a name that is not UTF-8, whose other bytes stay as they are.
    static func visible(_ name: [UInt8]) -> [UInt8] {
        var shown: [UInt8] = []
        var rest = name[...]
        while !rest.isEmpty {
            let text = (1...4).lazy.compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            shown += text.map { Array(visible($0).utf8) } ?? [rest[rest.startIndex]]
            rest = rest.dropFirst(text?.utf8.count ?? 1)
        }
        return shown
    }

    /// C0, DEL, C1, and the marks that reorder or hide text.
    private static func isControl(_ scalar: UnicodeScalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        case .format: scalar.properties.isBidiControl
        default: false
        }
    }

    /// `1,234,567`.
    static func count(_ value: Int) -> String {
        var groups: [String] = []
        var rest = value.magnitude
        while rest >= 1000 {
            groups.append(String(rest % 1000 + 1000).dropFirst().description)
            rest /= 1000
        }
        groups.append(String(rest))
        return (value < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
    }

    /// `1 image`, `2 images`.
    static func count(_ value: Int, _ noun: String) -> String { "\(count(value)) \(noun)\(value == 1 ? "" : "s")" }

    /// `12 kB`, `3.4 GB`, in powers of ten.
    static func bytes(_ value: UInt64) -> String {
        var amount = Double(value)
        for unit in ["B", "kB", "MB", "GB"] {
            if amount < 999.5 { return "\(number(amount, digits: amount < 9.95 && unit != "B" ? 1 : 0)) \(unit)" }
            amount /= 1000
        }
        return "\(number(amount, digits: 1)) TB"
    }

    /// `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`.
    static func duration(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds < 1e9 else { return "very long" }
        let whole = Int(max(0, seconds).rounded())
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return whole % 60 == 0 ? "\(whole / 60) min" : "\(whole / 60) min \(whole % 60) s"
        case ..<86400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86400) d \(whole % 86400 / 3600) h"
        }
    }

    static func number(_ value: Double, digits: Int) -> String {
        guard value.isFinite else { return "?" }
        return String(format: "%.\(digits)f", value)
    }

    /// Rows with their columns aligned; the last column is left as it is.
    ///
    /// - Parameters:
    ///   - rows: all of the same count.
    ///   - right: columns that are aligned at their right.
    /// - Returns: one line a row.
    static func table(_ rows: [[String]], right: Set<Int> = []) -> [String] {
        let columnCount = rows.map(\.count).max() ?? 0
        let widths = (0..<columnCount).map { column in
            rows.compactMap { $0.indices.contains(column) ? $0[column].count : nil }.max() ?? 0
        }
        return rows.map { row in
            row.enumerated().map { column, cell in
                if column == row.count - 1 && !right.contains(column) { return cell }
                let blanks = String(repeating: " ", count: max(0, widths[column] - cell.count))
                return right.contains(column) ? blanks + cell : cell + blanks
            }
            .joined(separator: "  ")
        }
    }
}
