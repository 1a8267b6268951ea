extension Orientation {
    /// What the file's EXIF block says; upright when there is none or it makes no sense. Never fails: a broken note on a
    /// sound photo must not cost the photo.
    init(of encoded: [UInt8], _ format: ImageFormat) {
        let block =
            switch format {
            case .jpeg: Self.exifBlockOfJPEG(encoded)
            case .png: Self.exifBlockOfPNG(encoded)
            }
        self = block.flatMap(Self.init(exif:)) ?? .upright
    }

    /// Reads tag 0x0112 of the first directory of a TIFF structure (TIFF 6.0, section 2).
    private init?(exif block: ArraySlice<UInt8>) {
        guard let order = ByteOrder(block), let offset = order.uint32(block, 4) else { return nil }
        guard let entryCount = order.uint16(block, Int(offset)) else { return nil }
        for index in 0..<Int(entryCount) {
            let entry = Int(offset) + 2 + index * 12
            guard let tag = order.uint16(block, entry), let type = order.uint16(block, entry + 2) else { return nil }
            guard tag == 0x0112 else { continue }
            // A SHORT by the book; some cameras write a LONG.
            let value = type == 4 ? order.uint32(block, entry + 8) : order.uint16(block, entry + 8).map(UInt32.init)
            self.init(rawValue: Int(value ?? 0))
            return
        }
        return nil
    }

    /// The TIFF structure in the first Exif APP1 segment before the first scan.
    private static func exifBlockOfJPEG(_ encoded: [UInt8]) -> ArraySlice<UInt8>? {
        let introduction = Array("Exif\0\0".utf8)
        var at = 2
        while let first = encoded[checked: at], let marker = encoded[checked: at + 1] {
            guard first == 0xff else {
                // libjpeg skips garbage between segments too.
                at += 1
                continue
            }
            switch marker {
            case 0xff: at += 1
            case 0x00, 0x01, 0xd0...0xd8: at += 2
            case 0xd9, 0xda: return nil
            default:
                guard let length = ByteOrder.big.uint16(encoded[...], at + 2), length >= 2 else { return nil }
                let body = encoded[min(at + 4, encoded.count)..<min(at + 2 + Int(length), encoded.count)]
                if marker == 0xe1, body.starts(with: introduction) { return body.dropFirst(introduction.count) }
                at += 2 + Int(length)
            }
        }
        return nil
    }

    /// The content of the eXIf chunk, which may come before or after the pixels.
    private static func exifBlockOfPNG(_ encoded: [UInt8]) -> ArraySlice<UInt8>? {
        let name = Array("eXIf".utf8)
        var at = 8
        while let length = ByteOrder.big.uint32(encoded[...], at), encoded.count - at >= 12 {
            let start = at + 8
            let end = start + Int(length)
            guard end <= encoded.count else { return nil }
            if encoded[(at + 4)..<start].elementsEqual(name) { return encoded[start..<end] }
            at = end + 4
        }
        return nil
    }
}

/// Reads integers at offsets that may lie anywhere.
private enum ByteOrder {
    case little, big

    /// From a TIFF header: `II` or `MM`, then 42.
    init?(_ block: ArraySlice<UInt8>) {
        if block.starts(with: [0x49, 0x49, 0x2a, 0x00]) {
            self = .little
        } else if block.starts(with: [0x4d, 0x4d, 0x00, 0x2a]) {
            self = .big
        } else {
            return nil
        }
    }

    func uint16(_ block: ArraySlice<UInt8>, _ offset: Int) -> UInt16? {
        guard offset >= 0, offset <= block.count - 2 else { return nil }
        let at = block.startIndex + offset
        let (a, b) = (UInt16(block[at]), UInt16(block[at + 1]))
        return self == .big ? a << 8 | b : b << 8 | a
    }

    func uint32(_ block: ArraySlice<UInt8>, _ offset: Int) -> UInt32? {
        guard let first = uint16(block, offset), let second = uint16(block, offset + 2) else { return nil }
        return self == .big
            ? UInt32(first) << 16 | UInt32(second) : UInt32(second) << 16 | UInt32(first)
    }
}

extension [UInt8] {
    fileprivate subscript(checked index: Int) -> UInt8? { index < count ? self[index] : nil }
}
