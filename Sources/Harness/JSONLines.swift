internal import Foundation

/// A benchmark or campaign that cannot run as asked, or that found what must not be.
package struct HarnessFailure: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

/// Prints one JSON object on one line, as scripts read it.
package func printLine(_ fields: [String: any Sendable]) throws {
    var line = try JSONSerialization.data(withJSONObject: fields, options: [.sortedKeys, .withoutEscapingSlashes])
    line.append(UInt8(ascii: "\n"))
    try FileHandle.standardOutput.write(contentsOf: line)
}

/// One line on standard error.
package func printNote(_ line: String) { FileHandle.standardError.write(Data("\(line)\n".utf8)) }

/// Calls `body` with a folder: the one that is named, or a temporary one that is removed afterwards.
package func withFolder<R>(_ named: String?, _ body: (String) throws -> R) throws -> R {
    let folder = named ?? FileManager.default.temporaryDirectory.appending(path: "likeness-\(UUID().uuidString)").path
    defer { if named == nil { try? FileManager.default.removeItem(atPath: folder) } }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    return try body(folder)
}

/// This process, from `/proc`; 0 where that is not to be had.
package enum OwnProcess {
    /// Most memory it has held at once, in bytes (`VmHWM`).
    package static var peakMemoryByteCount: Int { 1024 * (number(of: "VmHWM:", in: "status") ?? 0) }

    /// Bytes that it has sent to disks so far.
    package static var writtenByteCount: Int { number(of: "write_bytes:", in: "io") ?? 0 }

    private static func number(of field: String, in file: String) -> Int? {
        let text = (try? String(contentsOfFile: "/proc/self/\(file)", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix(field) }
        return line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Int($0) }
    }
}
