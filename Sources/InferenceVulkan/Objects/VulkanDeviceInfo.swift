/// A Vulkan device as the system lists it, usable or not.
package struct VulkanDeviceInfo: Sendable, Hashable {
    /// Position in the system's list; may change between boots.
    package let index: Int
    package let name: String
    /// The driver's device UUID, 32 hexadecimal digits in groups of 8-4-4-4-12; stable between boots.
    package let uuid: String
    package let vendor: String
    /// Driver name and version in the driver's own words.
    package let driver: String
    /// Highest Vulkan version, such as `1.3.230`.
    package let apiVersion: String
    /// The processor dressed up as a device (lavapipe, SwiftShader).
    package let isSoftware: Bool
    /// Bytes a process may take of the device's own memory: the driver's budget where it tells one, else all of it.
    package let memoryByteCount: Int
    /// Why no network can run there, in words; nil when one can.
    package let unusableReason: String?

    /// Whether a person who wrote `designation` means this device: its index, its UUID, or a part of its name, in any case.
    package func answers(to designation: String) -> Bool {
        if let number = Int(designation) { return number == index }
        let wanted = designation.lowercased()
        return uuid == wanted || uuid.filter { $0 != "-" } == wanted || name.lowercased().contains(wanted)
    }
}

extension VulkanDeviceInfo: CustomStringConvertible {
    package var description: String { "\(index): \(name) (\(driver))" }
}
