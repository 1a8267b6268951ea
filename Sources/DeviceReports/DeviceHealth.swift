/// How a graphics device fares, in numbers and words for status pages.
package struct DeviceHealth: Codable, Sendable, Equatable {
    /// No enumeration, so that a client can read the health that a newer daemon reports.
    package struct State: RawRepresentable, Codable, Hashable, Sendable {
        package let rawValue: String

        package init(rawValue: String) { self.rawValue = rawValue }

        /// Not open yet, for the first time; something else computes.
        package static let opening = State(rawValue: "opening")
        /// It computes.
        package static let serving = State(rawValue: "serving")
        /// Lost, hung or out of memory; it is tried again by itself.
        package static let recovering = State(rawValue: "recovering")
        /// Not tried again before a restart.
        package static let closed = State(rawValue: "closed")
    }

    /// A set of kernels and what is known of it here.
    package struct Tier: Codable, Sendable, Equatable {
        package var name: String
        /// It passed the self-test and may be used; nil while nobody tried.
        package var isTrusted: Bool?
        /// Why not, or that it is the one in use.
        package var reason: String

        package init(name: String, isTrusted: Bool?, reason: String) {
            self.name = name
            self.isTrusted = isTrusted
            self.reason = reason
        }

        enum CodingKeys: String, CodingKey {
            case name, reason
            case isTrusted = "trusted"
        }
    }

    package var state = State.opening
    /// Why the state is as it is.
    package var reason = "being opened"
    /// Empty until the device was found.
    package var device = ""
    package var uuid = ""
    package var driver = ""
    /// The tier in use; empty when none is.
    package var tier = ""
    /// Best first.
    package var tiers: [Tier] = []

    /// Times the device was lost, hangs among them.
    package var lossCount = 0
    /// Submissions that did not end in time, and drivers that did not answer.
    package var hangCount = 0
    /// Times the device had no memory left.
    package var outOfMemoryCount = 0
    /// Images recomputed elsewhere because their vector was not finite.
    package var nonFiniteCount = 0
    /// Times it took over again after it was lost.
    package var returnCount = 0

    /// Seconds from the start of opening to the first moment it could compute.
    package var openSeconds: Double?
    /// Seconds from the last loss to the moment it could compute again.
    package var awaySeconds: Double?
    /// Whether kernels came from the pipeline cache at the last opening.
    package var usedCache = false

    package init() {}

    enum CodingKeys: String, CodingKey {
        case state, reason, device, uuid, driver, tier, tiers
        case lossCount = "losses"
        case hangCount = "hangs"
        case outOfMemoryCount = "out_of_memory"
        case nonFiniteCount = "non_finite"
        case returnCount = "returns"
        case openSeconds = "open_s"
        case awaySeconds = "away_s"
        case usedCache = "cached"
    }
}
