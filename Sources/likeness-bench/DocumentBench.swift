import Catalog
import Filters
import Foundation
import Harness
import Platform
import Storage

/// `documents`: what filters on documents cost on images with documents, one JSON object a filter, beside a search without one.
enum DocumentBench {
    static let command = CommandTable.Command(
        "documents",
        [
            OptionDescription("images", .integer(1...Int(Int32.max)), "how many (100000)"),
            OptionDescription("dimension", .integer(2...1024), "of their vectors (64)"),
            OptionDescription("documents", .choice(["on", "off"]), "whether they have some (on)"),
        ],
        run: run
    )

    private static let batch = 256
    private static let repetitions = 31

    /// Conditions of one kind each: few values, many values, ends of ranges, and what no record decides alone.
    private static let filters: [(name: String, text: String)] = [
        ("everything", "{}"), ("equality", #"{"camera":"camera 3"}"#),
        ("equality 0.1 %", #"{"serial":{"$lt":100},"odd":1}"#),
        ("in", #"{"camera":{"$in":["camera 1","camera 2","camera 3"]}}"#),
        ("range, 30 values", #"{"year":{"$gte":2000,"$lt":2015}}"#),
        ("range, all values differ", #"{"serial":{"$gte":1000,"$lt":51000}}"#),
        ("range of times in text", #"{"taken":{"$gte":"2003-05","$lt":"2015-11-20T12"}}"#),
        ("prefix of text", #"{"taken":{"$prefix":"2012-03"}}"#), ("prefix of path", #"{"path":{"$prefix":"1995/"}}"#),
        ("and", #"{"camera":"camera 3","year":{"$gte":2000},"odd":1}"#),
        ("or", #"{"$or":[{"camera":"camera 3"},{"year":2001},{"odd":1}]}"#), ("not", #"{"camera":{"$ne":"camera 3"}}"#),
        ("width", #"{"width":{"$gte":1000}}"#), ("bytes", #"{"bytes":{"$gte":2000000,"$lt":4000000}}"#),
        ("modified", #"{"modified":{"$gte":"2001-05-03T12:00","$lt":"2019"}}"#),
        ("path, asked one by one", #"{"path":{"$gt":"1995/"}}"#),
    ]

    /// Fills a collection in a temporary folder and prints medians.
    static func run(_ arguments: Arguments) throws {
        try withFolder(nil) { try run(arguments, $0) }
    }

    private static func run(_ arguments: Arguments, _ folder: String) throws {
        let count = arguments.integer("images") ?? 100_000
        let dimension = arguments.integer("dimension") ?? 64
        let hasDocuments = arguments.text("documents") != "off"
        let catalog = try Catalog(directory: folder, dimension: dimension, fingerprint: "bench")
        let root = try catalog.addRoot(RelativePath("/photos")).id
        let start = Instant.now
        var written = OwnProcess.writtenByteCount
        for first in stride(from: 0, to: count, by: batch) {
            let end = min(count, first + batch)
            _ = try catalog.apply((first..<end).map { image($0, of: root, dimension, hasDocuments) })
        }
        let insertSeconds = Instant.now - start
        written = OwnProcess.writtenByteCount - written
        while catalog.statistics.pendingCount > 0 { sleep(seconds: 0.1) }
        let plain = try median { try catalog.search(CatalogQuery(vector: vector(7, dimension))).hits.count }
        for filter in filters {
            let parsed = try Filter(text: Array(filter.text.utf8))
            var total = 0
            let set = try median {
                total = try catalog.images(matching: parsed, after: nil, limit: 0).total
                return total
            }
            var query = CatalogQuery(vector: vector(7, dimension))
            query.filter = parsed
            let prepared = query
            let search = try median { try catalog.search(prepared).hits.count }
            try printLine([
                "bench": "documents", "filter": filter.name, "json": filter.text, "images": count, "matches": total,
                "set_us": set * 1e6, "search_us": search * 1e6, "search_without_us": plain * 1e6,
            ])
        }
        catalog.close()
        try printLine([
            "bench": "documents", "images": count, "dimension": dimension, "documents": hasDocuments,
            "insert_per_second": Double(count) / insertSeconds,
            "field_bytes_per_image": Double(try fieldByteCount(folder)) / Double(count),
            "written_per_insert": Double(written) / Double(count),
        ])
    }

    private static func median(_ body: () throws -> Int) throws -> Double {
        var times: [Double] = []
        // What takes long is not repeated as often.
        while times.isEmpty || (times.count < repetitions && times.reduce(0, +) < 1) {
            let start = Instant.now
            _ = try body()
            times.append(Instant.now - start)
        }
        return times.sorted()[times.count / 2]
    }

    private static func fieldByteCount(_ directory: String) throws -> Int {
        let environment = try Environment(directory: directory, options: EnvironmentOptions())
        defer { environment.close() }
        let transaction = try WriteTransaction(environment)
        return try transaction.byteCount(of: transaction.openDatabase("field"))
    }

    // MARK: Images

    private static func image(_ number: Int, of root: RootID, _ dimension: Int, _ hasDocuments: Bool) -> CatalogChange {
        // Times are in no order of arrival: a folder by folder copy would be easier.
        let moment = Int64(scattered(number) % 946_080_000) * 1_000_000_000 + 631_152_000_000_000_000
        let taken = Timestamp.text(moment)
        let year = taken.prefix(4)
        let document = """
            {"camera":"camera \(scattered(number + 1) % 20)","year":\(year),"serial":\(number),"taken":"\(taken)",\
            "odd":\(number % 2),"exif":{"iso":\(100 << (scattered(number + 2) % 8)),"f":\(Double(scattered(number + 3) % 20) / 2)},\
            "tags":["tag \(scattered(number + 4) % 50)","tag \(scattered(number + 5) % 50)"]}
            """
        let stamp = FileStamp(
            device: 1,
            inode: UInt64(number),
            byteCount: 100_000 + scattered(number + 6) % 8_000_000,
            modified: moment,
            changed: moment
        )
        return .index(
            key: FileKey(root: root, path: RelativePath("\(year)/\(taken.dropFirst(5).prefix(2))/IMG_\(number).jpg")),
            stamp: stamp,
            content: SHA256Digest(of: Array("\(number)".utf8)),
            embedded: ImageFeatures(
                vector: vector(number, dimension),
                format: "jpeg",
                width: UInt32(640 + 64 * (scattered(number + 7) % 12)),
                height: 480
            ),
            document: hasDocuments ? Array(document.utf8) : []
        )
    }

    private static func vector(_ number: Int, _ dimension: Int) -> [Float] {
        let raw = (0..<dimension).map { Float(scattered(number &* 1_000_003 &+ $0) % 4096) / 4096 }
        let norm = raw.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return raw.map { $0 / norm }
    }

    /// The same number for the same one, and no order among them.
    private static func scattered(_ number: Int) -> UInt64 {
        SeededRandom.mix(UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15)
    }
}
