internal import Glibc
internal import Platform

/// The file of a store, page by page. Reads go through the kernel, not through a map: a disk that fails is an error here and no
/// signal.
final class PageFile {
    /// Branch pages that are kept, since every look-up begins with the same ones.
    private static let cacheLimit = 4096

    let descriptor: Int32
    let pageByteCount: Int
    /// Pages below this belong to the state that is read.
    let pageLimit: UInt64
    private var branches: [UInt64: Page] = [:]

    init(descriptor: Int32, pageByteCount: Int, pageLimit: UInt64) {
        self.descriptor = descriptor
        self.pageByteCount = pageByteCount
        self.pageLimit = pageLimit
    }

    /// Reads `count` bytes from `offset`; fewer at the file's end.
    static func read(_ descriptor: Int32, at offset: Int, count: Int) throws(SystemError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(SystemError) {
                while filled < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[filled...])
                    // SAFETY: `pread` writes at most the rest's count.
                    let got = try retrying("read") {
                        pread(descriptor, rest.baseAddress, rest.count, off_t(offset + filled))
                    }
                    if got == 0 { return }
                    filled += got
                }
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    static func byteCount(_ descriptor: Int32) throws(SystemError) -> Int {
        var status = stat()
        try retrying("fstat") { fstat(descriptor, &status) }
        return Int(status.st_size)
    }

    /// A page of a tree.
    func page(_ number: UInt64) throws(PageDamage) -> Page {
        if let known = branches[number] { return known }
        let page = try Page(number: number, bytes: try bytes(of: number, byteCount: pageByteCount))
        if case .branch = page.kind {
            if branches.count >= Self.cacheLimit { branches = [:] }
            branches[number] = page
        }
        return page
    }

    /// A value on pages of its own, and how many those are.
    func overflow(_ number: UInt64, byteCount: Int) throws(PageDamage) -> (value: ArraySlice<UInt8>, pageCount: Int) {
        let whole = Page.headerByteCount + byteCount
        let pageCount = (whole + pageByteCount - 1) / pageByteCount
        guard number < pageLimit, UInt64(pageCount) <= pageLimit - number else {
            throw PageDamage(page: number, detail: "a value of \(byteCount) bytes ends beyond the last page")
        }
        let page = try Page(number: number, bytes: try bytes(of: number, byteCount: whole))
        guard case .overflow = page.kind, page.overflowCount == UInt32(pageCount) else {
            throw page.damage("\(page.overflowCount) pages of kind \(page.kind.rawValue) for \(byteCount) bytes")
        }
        return (page.bytes[Page.headerByteCount...], pageCount)
    }

    private func bytes(of number: UInt64, byteCount: Int) throws(PageDamage) -> [UInt8] {
        // Pages 0 and 1 are the meta pages.
        guard 2..<max(2, pageLimit) ~= number else { throw PageDamage(page: number, detail: "there is no such page") }
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try Self.read(descriptor, at: Int(number) * pageByteCount, count: byteCount)
        } catch { throw PageDamage(page: number, detail: "cannot be read: \(error)") }
        guard bytes.count == byteCount else { throw PageDamage(page: number, detail: "the file ends before it") }
        return bytes
    }
}
