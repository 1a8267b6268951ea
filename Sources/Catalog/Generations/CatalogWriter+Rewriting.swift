internal import LinearAlgebra
internal import Platform
internal import Storage

/// Steps of a change of whitening; tests fail it between them.
enum RewritingStep: Sendable, CaseIterable {
    /// The new generation is written in part.
    case begun
    /// It is complete and durable, and the old one still in force.
    case written
    /// It is in force.
    case switched
}

/// Writing the collection anew, on the writer thread: no change can come between.
extension CatalogWriter {
    /// Writes the next generation and puts it in force. Searches go on with the old one, which takes no change any more.
    ///
    /// - Parameters:
    ///   - whitening: what the vectors go through from now on; nil: nothing.
    ///   - step: is told how far it is; what it throws stands for a failure there.
    /// - Throws: the old generation stays in force, and takes changes.
    func rewrite(
        _ whitening: Whitening?,
        _ step: @escaping @Sendable (RewritingStep) throws(CatalogFailure) -> Void
    ) throws(CatalogFailure) {
        let generations = store.generations
        generations.removeNext()
        do throws(CatalogFailure) {
            let target = try storing { () throws(StorageError) in
                try Environment(directory: generations.nextDirectory, options: store.options.sizes)
            }
            defer { target.close() }
            var isFirst = true
            let writer = GenerationWriter(
                source: store,
                contents: try store.contents(),
                target: target,
                whitening: whitening
            ) { () throws(CatalogFailure) in
                self.noteTurn()
                guard !self.isClosing else { throw .catalog(.storage(detail: "the collection is being closed")) }
                guard isFirst else { return }
                isFirst = false
                try step(.begun)
            }
            try writer.run()
            try step(.written)
            try generations.switchToNext()
        } catch {
            generations.removeNext()
            throw error
        }
        try step(.switched)
    }
}
