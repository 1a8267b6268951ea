internal import Glibc
internal import Platform

/// The file that keeps what a driver compiled, so that the next start compiles nothing. It is never more than an optimisation:
/// whatever does not fit makes it a miss.
///
/// Version 1, all numbers little-endian:
///
///     offset  bytes  content
///          0      8  magic "LKVKPIPE"
///          8      4  version, 1
///         12      4  vendor number
///         16      4  device number
///         20      4  driver version
///         24     16  pipelineCacheUUID
///         40     16  deviceUUID
///         56     32  SHA-256 of the kernels' SPIR-V
///         88      8  n, bytes of the driver's data
///         96     32  SHA-256 of the driver's data
///        128      n  the driver's data, as vkGetPipelineCacheData gave it
struct PipelineCacheFile {
    let path: String
    let identity: DeviceIdentity
    /// Of all kernels that may be in it.
    let shaderDigest: SHA256Digest

    static let headerByteCount = 128
    /// A file beyond this is none of ours.
    static let byteLimit = 512 << 20
    private static let magic = Array("LKVKPIPE".utf8)
    private static let version: UInt32 = 1

    /// One file a device in `folder`.
    init(folder: String, identity: DeviceIdentity, shaderDigest: SHA256Digest) {
        path = "\(folder)/pipelines-\(identity.deviceDigits).bin"
        self.identity = identity
        self.shaderDigest = shaderDigest
    }

    /// The driver's data, or why there is none.
    func read() -> Result<[UInt8], Miss> {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW).readAll(limit: Self.byteLimit)
        } catch {
            return .failure(error.code == ENOENT ? .absent : .unreadable(error))
        }
        guard bytes.count >= Self.headerByteCount, bytes.starts(with: Self.magic) else { return .failure(.foreign) }
        let expected = header(for: bytes[Self.headerByteCount...])
        // Identity first: of a driver that was updated nobody wants to hear that its file is damaged.
        guard bytes[..<88] == expected[..<88] else { return .failure(.outdated) }
        guard bytes[88..<Self.headerByteCount] == expected[88...] else { return .failure(.damaged) }
        return .success(Array(bytes[Self.headerByteCount...]))
    }

    /// Writes the driver's data in place of what was there: the whole file or nothing.
    func write(_ data: [UInt8]) throws {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        let folder = String(path[..<slash])
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemError.last("make \(folder)") }
        try DurableFile.replace(path, with: header(for: data[...]) + data)
    }

    private func header(for data: ArraySlice<UInt8>) -> [UInt8] {
        func bytes<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
            withUnsafeBytes(of: number.littleEndian) { Array($0) }
        }
        var header = Self.magic
        for number in [Self.version, identity.vendor, identity.device, identity.driverVersion] {
            header += bytes(number)
        }
        header += identity.cacheUUID + identity.deviceUUID + shaderDigest.bytes
        header += bytes(UInt64(data.count)) + SHA256Digest(of: Array(data)).bytes
        precondition(header.count == Self.headerByteCount, "a header of \(header.count) bytes")
        return header
    }

    /// Why a file gives nothing.
    enum Miss: Error, CustomStringConvertible {
        case absent
        /// Of another device, driver or set of kernels.
        case outdated
        case foreign
        case damaged
        case unreadable(SystemError)

        var description: String {
            switch self {
            case .absent: "there is none yet"
            case .outdated: "it is of another driver or other kernels"
            case .foreign: "it is no pipeline cache"
            case .damaged: "its checksum is wrong"
            case .unreadable(let error): "\(error)"
            }
        }
    }
}
