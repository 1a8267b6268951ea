/// What tells a device and its driver from all others: what was compiled or measured for one is worth nothing to another.
struct DeviceIdentity: Equatable {
    /// PCI numbers of vendor and device.
    let vendor: UInt32
    let device: UInt32
    /// In the vendor's own coding.
    let driverVersion: UInt32
    /// `pipelineCacheUUID`, 16 bytes: changes whenever the driver could no longer read its own old caches.
    let cacheUUID: [UInt8]
    /// `deviceUUID`, 16 bytes: the one card among equals.
    let deviceUUID: [UInt8]

    /// The device UUID as 32 hexadecimal digits.
    var deviceDigits: String {
        deviceUUID.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
