internal import Catalog
internal import Filters
internal import Platform

/// The documents beside images: `name.jpg.json`, else `name.json`, each a JSON object of at most 1 MB.
///
/// A broken one is a warning in the log; its image is indexed without a document.
struct Sidecars: Sendable {
    let ledger: any FileLedger
    let maximumByteCount: Int
    private let log = Log("documents")
    /// Containers inside each other.
    private static let maximumDepth = 512
    private static let ending = Array(".json".utf8)

    init(ledger: any FileLedger, maximumByteCount: Int) {
        self.ledger = ledger
        self.maximumByteCount = maximumByteCount
    }

    /// Where an image's document may lie, the stronger place first.
    static func places(for image: RelativePath) -> [RelativePath] {
        var places = [RelativePath(bytes: image.bytes + ending)]
        if let dot = image.name.lastIndex(of: UInt8(ascii: ".")), dot > image.name.startIndex {
            places.append(RelativePath(bytes: image.bytes[..<dot] + ending))
        }
        return places
    }

    /// The document of an image; empty when it has none.
    func document(of image: RelativePath, in root: OpenRoot) -> [UInt8] {
        for place in Self.places(for: image) {
            do {
                let file = try root.openFile(beneath: place)
                guard try file.status().kind == .regular else { continue }
                let bytes = try file.readAll(limit: maximumByteCount)
                guard try JSONTokens.check(bytes, maximumDepth: Self.maximumDepth) else {
                    log.warning("\(place) holds no JSON object; the image is kept without it")
                    return []
                }
                return bytes
            } catch let error as SystemError where error.saysAbsent {
                continue
            } catch {
                log.warning("\(place) is not a usable document: \(error)")
                return []
            }
        }
        return []
    }

    /// Whether an image has a document beside it, good or bad.
    func exists(for image: RelativePath, in root: OpenRoot) -> Bool {
        !Self.places(for: image).allSatisfy { root.lacks($0) }
    }

    /// Rows of indexed images whose document a file may be.
    func images(of sidecar: FileKey) throws(CatalogError) -> [(row: FileRow, image: ImageRecord)] {
        let stem = RelativePath(bytes: sidecar.path.bytes.dropLast(Self.ending.count))
        var rows: [FileRow] = []
        if let row = try ledger.file(FileKey(root: sidecar.root, path: stem)) { rows.append(row) }
        let prefix = stem.bytes + [UInt8(ascii: ".")]
        var last = RelativePath(bytes: prefix)
        paging: while true {
            let page = try ledger.files(in: sidecar.root, after: last, limit: 64)
            for row in page {
                guard row.key.path.bytes.starts(with: prefix) else { break paging }
                if Self.places(for: row.key.path).contains(sidecar.path) { rows.append(row) }
            }
            guard let end = page.last, page.count == 64 else { break }
            last = end.key.path
        }
        var images: [(row: FileRow, image: ImageRecord)] = []
        for row in rows {
            if case .indexed(let id) = row.state, let image = try ledger.image(id) { images.append((row, image)) }
        }
        return images
    }
}
