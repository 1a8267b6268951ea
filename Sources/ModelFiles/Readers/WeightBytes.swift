internal import Glibc
internal import Platform

/// The bytes of a weight file by range: a regular file, or memory.
///
/// Reads with `pread`, so a file that shrinks meanwhile is an error, not a fault.
package struct WeightBytes: Sendable {
    private enum Source: Sendable {
        case file(SharedDescriptor)
        case memory([UInt8])
    }

    /// A descriptor that several readers of one file hold; closed with the last of them.
    private final class SharedDescriptor: Sendable {
        let descriptor: OwnedDescriptor
        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// For messages.
    let file: String
    let count: Int
    private let source: Source

    /// Opens a regular file.
    ///
    /// - Throws: `.unreadableWeights`.
    init(path: String) throws(ModelFileError) {
        let opened: OwnedDescriptor
        // O_NONBLOCK: a named pipe must not hang the open; it is refused by its type next.
        do { opened = try OwnedDescriptor.open(path, O_RDONLY | O_NONBLOCK) } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
        let number = opened.rawValue
        var status = stat()
        do { try retrying("fstat \(path)") { fstat(number, &status) } } catch {
            throw .unreadableWeights(file: path, detail: error.description)
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadableWeights(file: path, detail: "no regular file")
        }
        file = path
        count = Int(status.st_size)
        source = .file(SharedDescriptor(opened))
    }

    /// Bytes in memory under a name for messages.
    package init(_ bytes: [UInt8], name: String) {
        file = name
        count = bytes.count
        source = .memory(bytes)
    }

    /// Copies a range out.
    ///
    /// - Throws: `.malformedWeights` when the range is not within the file, `.unreadableWeights` when reading fails.
    func read(_ range: Range<Int>) throws(ModelFileError) -> [UInt8] {
        guard range.lowerBound >= 0, range.upperBound <= count else {
            throw .malformedWeights(file: file, detail: "bytes \(range) of a file of \(count)")
        }
        switch source {
        case .memory(let bytes): return Array(bytes[range])
        case .file(let shared): return try read(shared.descriptor.rawValue, range)
        }
    }

    private func read(_ number: Int32, _ range: Range<Int>) throws(ModelFileError) -> [UInt8] {
        var failure: SystemError?
        let bytes = [UInt8](unsafeUninitializedCapacity: range.count) { buffer, initializedCount in
            do throws(SystemError) {
                while initializedCount < range.count {
                    let rest = UnsafeMutableBufferPointer(rebasing: buffer[initializedCount..<range.count])
                    let offset = range.lowerBound + initializedCount
                    let got = try retrying("read \(file)") { pread(number, rest.baseAddress, rest.count, offset) }
                    if got == 0 { throw SystemError(code: EIO, operation: "\(file) ends at byte \(offset)") }
                    initializedCount += got
                }
            } catch { failure = error }
        }
        if let failure { throw .unreadableWeights(file: file, detail: failure.description) }
        return bytes
    }
}
