internal import Glibc

/// Zeroed anonymous memory that costs nothing until it is touched, in huge pages where the kernel grants them.
final class MappedMemory: @unchecked Sendable {
    // `@unchecked`: the pointer never changes; what lies behind it is its users' to synchronise.
    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// Below this, 4 KiB pages: a small collection must not pay for 2 MiB ones.
    private static let smallPart = 2 << 20

    /// Memory for `byteCount` bytes, aligned to 2 MiB pages. With `isGrowing`, the first 2 MiB stay in small pages.
    init(byteCount: Int, isGrowing: Bool) {
        let huge = 2 << 20
        let rounded = (byteCount + huge - 1) / huge * huge
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        let mapped = mmap(nil, rounded + huge, PROT_READ | PROT_WRITE, flags, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { fatalError("no address space for \(byteCount) bytes") }
        let start = (Int(bitPattern: mapped) + huge - 1) / huge * huge
        let lead = start - Int(bitPattern: mapped)
        if lead > 0 { munmap(mapped, lead) }
        base = mapped + lead
        if huge - lead > 0 { munmap(base + rounded, huge - lead) }
        self.byteCount = rounded
        let skipped = isGrowing ? Self.smallPart : 0
        if rounded > skipped { madvise(base + skipped, rounded - skipped, MADV_HUGEPAGE) }
    }

    deinit { munmap(base, byteCount) }
}
