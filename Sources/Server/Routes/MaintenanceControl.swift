package import Platform
package import Wire

/// What the routes of backup, verification and rebuilding need of the rest of the daemon.
package protocol MaintenanceControl: Sendable {
    /// What a backup consists of now.
    func backupPlan() throws(Problem) -> BackupPlan
    /// The file of a collection of the plan, as of now, in pieces.
    func copyCollection(_ name: String, isCompacting: Bool) throws(Problem) -> ResponseStream
    /// A file of the plan.
    func openBackupFile(_ name: String) throws(Problem) -> OwnedDescriptor
    /// Reads everything that is stored and names what is not as it must be, line by line.
    func verify() throws(Problem) -> ResponseStream
    /// Drops damaged vectors, throws the graphs away and links everything anew, with progress.
    func rebuild() throws(Problem) -> ResponseStream
}
