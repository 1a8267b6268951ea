internal import Platform
internal import Storage

/// Where a verification reads.
enum VerificationSource: Sendable {
    /// A running collection: each state is held by a read transaction as long as it is looked at.
    case environment(Environment)
    /// A file that nobody writes.
    case file(File)

    final class File: Sendable {
        let descriptor: OwnedDescriptor

        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// How often a state is asked for that writers have passed by.
    private static let attempts = 100

    var isRunning: Bool { if case .environment = self { true } else { false } }

    /// Runs `body` on a state, or on why there is none.
    func withSnapshot(
        _ body: (Result<PageSnapshot, PageDamage>) throws(CatalogFailure) -> Void
    ) throws(CatalogFailure) {
        switch self {
        case .file(let file):
            try body(
                Result(catching: { () throws(PageDamage) in try PageSnapshot(descriptor: file.descriptor.rawValue) })
            )
        case .environment(let environment):
            for _ in 0..<Self.attempts {
                let transaction = try storing { () throws(StorageError) in try ReadTransaction(environment) }
                switch Result(catching: { () throws(PageDamage) in try transaction.pages() }) {
                case .success(nil): continue
                case .success(let snapshot?): return try body(.success(snapshot))
                case .failure(let damage): return try body(.failure(damage))
                }
            }
            throw .catalog(.storage(detail: "commits come too quickly to look at one"))
        }
    }
}
