internal import Platform
internal import Server
internal import Wire

/// The right to do one long job on what is stored; given back when its holder goes, whether the job ended or its client went away.
final class MaintenanceClaim: Sendable {
    /// What is at work, if anything.
    typealias Current = Monitor<String?>

    private let current: Current

    /// - Throws: `conflict` while another job is at work.
    init(_ job: String, _ current: Current) throws(Problem) {
        let other = current.update { current -> String? in
            guard current == nil else { return current }
            current = job
            return nil
        }
        if let other { throw Problem(.conflict, "\(other) is at work; try again when it has ended", retryAfter: 10) }
        self.current = current
    }

    deinit { current.update { $0 = nil } }
}

extension Control {
    func claimMaintenance(_ job: String) throws(Problem) -> MaintenanceClaim {
        try MaintenanceClaim(job, maintenance)
    }
}
