/// One change of a batch: an item goes from a place (or from nowhere) to another (or to nowhere).
struct TortureChange {
    var item: UInt32
    var from: UInt32
    var to: UInt32

    var isAddition: Bool { from == TortureFrame.absent }
    var isRemoval: Bool { to == TortureFrame.absent }
}

/// The store under torture, as the worker drives it.
protocol TortureSubject: AnyObject {
    /// Called before steps that the subject takes by itself.
    var announce: (TorturePhase) -> Void { get set }
    /// Whether the store chooses the places of new items.
    var choosesPlaces: Bool { get }

    /// Opens the store and fills in what it says of itself.
    func open(_ opening: inout TortureOpening) throws
    /// Stores a batch in one transaction.
    ///
    /// - Returns: the place of each item after it.
    func apply(_ changes: [TortureChange]) throws -> [UInt32]
    /// Writes links that changed.
    ///
    /// - Returns: whether there is more.
    func checkpoint() throws -> Bool
    /// Blocks until linkers and repairs are done.
    func settle() throws
    /// What is found of an item that should be at `place`.
    func answer(_ item: UInt32, at place: UInt32) throws -> TortureAnswer
    /// In good order.
    func close() throws
}
