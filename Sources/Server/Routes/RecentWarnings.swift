internal import Platform
internal import Wire

/// The daemon's warnings, at most a second old: searches carry them, and a search takes less than a status does.
final class RecentWarnings: Sendable {
    private static let seconds = 1.0
    private let known = Monitor<(warnings: [Warning], until: Instant)?>(nil)

    /// The warnings as of now or a moment ago.
    func current(_ control: any DaemonControl) -> [Warning] {
        let now = Instant.now
        let fresh = known.update { known in known.flatMap { $0.until > now ? $0.warnings : nil } }
        if let fresh { return fresh }
        let warnings = Warning.all(control.conditions())
        known.update { $0 = (warnings, now + Self.seconds) }
        return warnings
    }
}
