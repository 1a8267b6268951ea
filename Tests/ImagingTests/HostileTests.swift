import Foundation
import Imaging
import Platform
import TestSupport
import Testing

/// The decoders' own test files, and the photos, against what Pillow 13 says of them.
@Suite(.requiresSharedData)
struct HostileTests {
    private let decoder = InProcessDecoder()

    private struct Entry {
        let path: String
        let isRead: Bool
        let format: String
        let size: String
    }

    /// What Pillow reads and this decoder does not.
    private static let unread = [
        // Lossless JPEG (process 14), which libjpeg-turbo reads from version 3 on.
        "jpeg-decoder/tests/reftest/images/lossless/1/jpeg_lossless_sel1-8bit.jpg"
    ]

    private func manifest() throws -> [Entry] {
        let text = try String(contentsOf: SharedData.hostile.appending(path: "MANIFEST.tsv"), encoding: .utf8)
        return text.split(separator: "\n").dropFirst().map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Entry(path: fields[0], isRead: fields[3] == "ok", format: fields[4], size: fields[6])
        }
    }

    private func file(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: SharedData.hostile.appending(path: path)))
    }

    @Test func `every file is decoded or refused by name, and what Pillow reads is decoded`() throws {
        let entries = try manifest()
        #expect(entries.count == 1662)
        for entry in entries {
            let encoded = try file(entry.path)
            let start = Instant.now
            let failure = decoder.failure(encoded)
            // The limit is 10 s of processor time; a busy machine gives that in more.
            #expect(Instant.now - start < 60, "\(entry.path)")
            let isOurs = ["JPEG", "MPO", "PNG"].contains(entry.format)
            guard isOurs, entry.isRead else { continue }
            if Self.unread.contains(entry.path) {
                #expect(failure?.code == .unsupported, "\(entry.path)")
            } else {
                #expect(failure == nil, "\(entry.path): \(String(describing: failure))")
            }
        }
    }

    @Test func `sizes are those of Pillow`() throws {
        for entry in try manifest() where entry.isRead && ["JPEG", "MPO", "PNG"].contains(entry.format) {
            guard !Self.unread.contains(entry.path) else { continue }
            let properties = try decoder.square(try file(entry.path), .squash(side: 8)).properties
            let sides = entry.size.split(separator: "x").compactMap { UInt32($0) }
            // The manifest has stored sizes; orientation may swap them.
            #expect([properties.width, properties.height].sorted() == sides.sorted(), "\(entry.path)")
        }
    }

    @Test func `interlaced PNGs equal their plain twins`() throws {
        let folder = "image-png/tests/pngsuite/"
        let gray = ["0g01", "0g02", "0g04", "0g08", "0g16", "4a08", "4a16"]
        let colour = ["2c08", "2c16", "3p01", "3p02", "3p04", "3p08", "6a08", "6a16"]
        for kind in gray + colour {
            let twin = try decoder.square(try file("\(folder)basn\(kind).png"), .squash(side: 32)).pixels
            let interlaced = try decoder.square(try file("\(folder)basi\(kind).png"), .squash(side: 32)).pixels
            #expect(interlaced == twin, "\(kind)")
        }
    }
}
