internal import Foundation
internal import Glibc
internal import Inference
internal import Platform

/// A tuning kept between runs.
///
/// JSON: `version` 1, `key` (what it was measured on), `tuning`. A file that is missing, damaged, or of another key is a miss: the
/// defaults serve, and the next measurement replaces it. While a daemon measures, a tuning without choices stands there: where it
/// outlives the daemon, the driver crashed, and it is not measured again.
package struct TuningFile {
    /// What a tuning belongs to; any other device, driver or build of the kernels begins anew.
    package struct Key: Codable, Hashable, Sendable {
        package var deviceUUID: String
        package var driverVersion: String
        /// Digest of all SPIR-V.
        package var shaderDigest: String
        package var tier: String

        init(_ device: Device, tier: Tier) {
            let identity = device.physical.identity
            self.init(
                deviceUUID: identity.deviceDigits,
                driverVersion: "\(identity.vendor) \(identity.device) \(identity.driverVersion)",
                shaderDigest: PipelineCache.shaderDigest.description,
                tier: tier
            )
        }

        package init(deviceUUID: String, driverVersion: String, shaderDigest: String, tier: Tier) {
            self.deviceUUID = deviceUUID
            self.driverVersion = driverVersion
            self.shaderDigest = shaderDigest
            self.tier = tier.rawValue
        }
    }

    private struct Content: Codable {
        var version: Int
        var key: Key
        var tuning: Tuning
    }

    private static let version = 1
    /// Far more than every shape of every network would take.
    private static let byteLimit = 1 << 20

    private let folder: String
    let path: String
    private let key: Key

    /// - Parameters:
    ///   - folder: where tunings lie; made when one is written.
    ///   - key: what this one is of.
    package init(folder: String, key: Key) {
        self.key = key
        self.folder = folder
        path = "\(folder)/tuning-\(key.deviceUUID)-\(key.tier).json"
    }

    /// What was measured; nil when nothing usable is there.
    package func read() -> Tuning? {
        guard
            let bytes = try? OwnedDescriptor.open(path, O_RDONLY | O_NOFOLLOW).readAll(limit: Self.byteLimit),
            let content = try? JSONDecoder().decode(Content.self, from: Data(bytes)),
            content.version == Self.version, content.key == key
        else { return nil }
        return content.tuning
    }

    /// Replaces the file as a whole, so that a reader never sees half of it.
    ///
    /// - Throws: what the file system says.
    package func write(_ tuning: Tuning) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let data = try encoder.encode(Content(version: Self.version, key: key, tuning: tuning))
        if mkdir(folder, 0o700) != 0, errno != EEXIST { throw SystemError.last("make \(folder)") }
        try DurableFile.replace(path, with: [UInt8](data))
    }

    /// `write` for those who measure.
    ///
    /// - Throws: `.deviceUnavailable`.
    func keep(_ tuning: Tuning) throws(InferenceError) {
        do { try write(tuning) } catch {
            throw .deviceUnavailable(detail: "the tuning cannot be kept in \(folder): \(error)")
        }
    }

    /// Takes the file away; where there is none, nothing happens.
    func remove() { unlink(path) }
}

extension KernelOptions {
    /// With what was measured for `tier` on `device` before, where that is kept in `folder` and nothing else was asked for.
    func tuned(_ tier: Tier, _ device: Device, folder: String?) -> KernelOptions {
        guard let folder, tuning == nil, preferredKernel == nil else { return self }
        var tuned = self
        tuned.tuning = TuningFile(folder: folder, key: .init(device, tier: tier)).read()
        return tuned
    }
}
