/// Has a measurement yield to those who compute.
struct TuningGate {
    /// Whether to go on; asked before each submission.
    let isOpen: () -> Bool
    /// Returns when nobody computes right now.
    let waitUntilFree: () -> Void
    /// Seconds that a submission may take, as far as that is known before; nil: any.
    let submissionLimit: Double?

    /// For who has the device alone.
    static var open: TuningGate { TuningGate(isOpen: { true }, waitUntilFree: {}, submissionLimit: nil) }
}
