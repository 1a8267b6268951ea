/// The naming rules of sidecar files: which names the document of an image may have, and which images a document may be of.
///
/// | form | document of `IMG_1.jpg`, `IMG_1(2).jpg` | by |
/// | --- | --- | --- |
/// | 1 | `IMG_1.jpg.json`, `IMG_1(2).jpg.json` | many |
/// | 2 | `IMG_1.json`, `IMG_1(2).json` | many |
/// | 3 | `IMG_1.jpg.supplemental-metadata.json`, `IMG_1(2).jpg.supplemental-metadata.json` | Google Takeout |
/// | 4 | `IMG_1.jpg.supplemental-metadata(2).json` for the second | Google Takeout |
/// | 5 | `IMG_1.jpg(2).json` for the second | Google Takeout until 2024 |
///
/// The first form that is there counts. Takeout cuts what stands before `(2)` and `.json` to 46 characters, so a long name
/// has `.supplemental-me.json`, `.s.json`, or not all of its own name in forms 3 to 5. All of it follows from the names
/// alone: no folder is listed.
enum SidecarNames {
    private static let ending = Array(".json".utf8)
    private static let supplement = Array(".supplemental-metadata".utf8)
    /// Characters of a name that Takeout keeps before `.json`: 51 with it.
    private static let keptCount = 46
    /// No file system has longer names.
    private static let longestName = 255

    // MARK: From an image to its document

    /// Names that the document of an image of that name may have, the stronger one first.
    static func names(for image: some Collection<UInt8>) -> [[UInt8]] {
        let name = Array(image)
        var stems = [name]
        if let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0 { stems.append(Array(name[..<dot])) }
        stems += cut(name + supplement)
        if let numbered = Numbered(image: name) {
            stems += cut(numbered.name + supplement).map { $0 + numbered.number }
            stems += cut(numbered.name).map { $0 + numbered.number }
        }
        var names: [[UInt8]] = []
        for stem in stems where stem.count + ending.count <= longestName {
            let name = stem + ending
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    /// As Takeout cuts a name. Whether it counts bytes or characters only shows in names beyond ASCII: both are looked for.
    private static func cut(_ name: [UInt8]) -> [[UInt8]] {
        guard name.count > keptCount else { return [name] }
        let bytes = Array(name.prefix(keptCount))
        let characters = Array(String(decoding: name, as: UTF8.self).unicodeScalars.prefix(keptCount).utf8Bytes)
        return bytes == characters || !name.starts(with: characters) ? [bytes] : [bytes, characters]
    }

    private static func isCut(_ stem: [UInt8]) -> Bool {
        stem.count == keptCount || String(decoding: stem, as: UTF8.self).unicodeScalars.count == keptCount
    }

    // MARK: From a document to its images

    /// Where the images of a document are to be looked for. What is found this way is an image of it only where `names(for:)` of
    /// the image has the document's name.
    struct Images: Equatable {
        /// Whole names.
        var names: [[UInt8]] = []
        /// What names may begin with.
        var prefixes: [[UInt8]] = []
    }

    static func images(beside sidecar: some Collection<UInt8>) -> Images {
        let name = Array(sidecar)
        guard name.count > ending.count, name.suffix(ending.count).elementsEqual(ending) else { return Images() }
        let stem = Array(name.dropLast(ending.count))
        var images = Images(names: [stem], prefixes: [stem + [UInt8(ascii: ".")]])
        if let base = withoutSupplement(stem) { images.names.append(base) }
        if isCut(stem) { images.prefixes.append(stem) }
        if let numbered = Numbered(sidecar: stem) {
            for base in [numbered.name, withoutSupplement(numbered.name)].compactMap(\.self) {
                images.names.append(Numbered(name: base, number: numbered.number).image)
            }
            if isCut(numbered.name) {
                // The end of the image's name is missing, and perhaps a part of its ending.
                images.prefixes.append(numbered.name)
                if let dot = numbered.name.lastIndex(of: UInt8(ascii: ".")) {
                    images.prefixes.append(numbered.name[..<dot] + numbered.number)
                }
            }
        }
        return images
    }

    /// `IMG_1.jpg` of `IMG_1.jpg.supplemental-me`.
    private static func withoutSupplement(_ stem: [UInt8]) -> [UInt8]? {
        guard let dot = stem.lastIndex(of: UInt8(ascii: ".")), dot > 0, supplement.starts(with: stem[dot...]) else {
            return nil
        }
        return Array(stem[..<dot])
    }

    /// A name, and the number that tells it from others like it: in an image's name it stands before the ending, in the
    /// document's behind the image's name.
    private struct Numbered {
        /// Without the number.
        let name: [UInt8]
        /// With its parentheses.
        let number: [UInt8]

        init(name: [UInt8], number: [UInt8]) {
            self.name = name
            self.number = number
        }

        init?(image name: [UInt8]) {
            let dot = name.lastIndex(of: UInt8(ascii: ".")) ?? name.count
            guard let start = Self.numberStart(name[..<dot]) else { return nil }
            self.init(name: Array(name[..<start] + name[dot...]), number: Array(name[start..<dot]))
        }

        init?(sidecar stem: [UInt8]) {
            guard let start = Self.numberStart(stem[...]) else { return nil }
            self.init(name: Array(stem[..<start]), number: Array(stem[start...]))
        }

        /// The image's name.
        var image: [UInt8] {
            let dot = name.lastIndex(of: UInt8(ascii: ".")) ?? name.count
            return name[..<dot] + number + name[dot...]
        }

        /// Where `(2)` begins at the end of a name that has more than that.
        private static func numberStart(_ name: ArraySlice<UInt8>) -> Int? {
            guard name.last == UInt8(ascii: ")"), let start = name.lastIndex(of: UInt8(ascii: "(")),
                start > name.startIndex
            else { return nil }
            let digits = name[(start + 1)...].dropLast()
            let isNumber = 1...9 ~= digits.count && digits.allSatisfy { (0x30...0x39).contains($0) }
            return isNumber ? start : nil
        }
    }
}

extension Sequence<Unicode.Scalar> {
    fileprivate var utf8Bytes: [UInt8] { flatMap { Array(String($0).utf8) } }
}
