/// The watchdog timeouts of a device: how long a submission may take before the device counts as hung.
///
/// Nothing but time tells a hang from slow work, so the timeouts err on the long side. A submission whose duration is known gets a
/// multiple of it and a floor. The first submission of a pipeline, and one of steps that were never measured, gets a timeout of its
/// own: some drivers compile a pipeline or allocate its memory when it is first submitted, on a machine whose cores may be busy.
struct SubmissionTimeouts {
    /// Seconds for every submission, whatever was measured; nil: by what was measured.
    let fixed: Double?
    /// Seconds that a session waits for what hangs before it leaks the device.
    let teardown: Double

    /// Seconds for a first submission, and for one whose duration is not known. A stop of the service waits for one that hangs, and
    /// systemd gives it 30 s.
    static let first = 20.0
    /// Seconds that are added to what is expected. Other processes use the device too, and on a busy machine the thread that waits
    /// gets no core for a while.
    static let floor = 5.0
    /// How many times its expected duration a submission may take.
    static let factor = 4.0
    /// A processor may honestly need minutes for a batch.
    private static let software = 600.0
    private static let deviceTeardown = 2.0

    /// - Parameters:
    ///   - isSoftware: whether the processor plays the device.
    ///   - fixed: seconds for every submission in place of the rules; for tests.
    init(isSoftware: Bool, fixed: Double? = nil) {
        self.fixed = fixed ?? (isSoftware ? Self.software : nil)
        teardown = isSoftware ? Self.software : Self.deviceTeardown
    }

    /// Seconds until the last of some submissions must have ended.
    ///
    /// - Parameters:
    ///   - inFlight: submissions that are in flight.
    ///   - own: the share of one that is submitted behind them, as `FirstSubmissions.share` gives it.
    /// - Returns: seconds from now.
    func seconds(_ inFlight: [SubmissionInFlight], and own: Double = 0) -> Double {
        fixed ?? inFlight.reduce(Self.floor + own) { $0 + $1.timeoutShare }
    }

    /// Seconds for one submission of which nothing is known.
    var firstSeconds: Double { fixed ?? Self.first }
}

/// Which pipelines of a session have run to their end at least once.
struct FirstSubmissions {
    /// By position in `ComputeGraph.kernels`.
    private var hasRun: [Bool]

    init(of graph: ComputeGraph) { hasRun = Array(repeating: false, count: graph.kernels.count) }

    /// What a submission adds to the timeout of everything in flight.
    ///
    /// - Parameters:
    ///   - steps: what it computes.
    ///   - imageCount: of how many images.
    ///   - graph: the session's graph.
    ///   - expected: its expected seconds; nil where one of its steps never ran.
    /// - Returns: seconds.
    func share(of steps: Range<Int>, imageCount: Int, in graph: ComputeGraph, expected: Double?) -> Double {
        let isFirst = steps.contains { step in
            graph.steps[step].implementation(imageCount: imageCount).kernels.contains { !hasRun[$0] }
        }
        guard let expected, !isFirst else { return SubmissionTimeouts.first }
        return SubmissionTimeouts.factor * expected
    }

    /// Takes in that a submission has ended.
    mutating func noteEnd(of steps: Range<Int>, imageCount: Int, in graph: ComputeGraph) {
        for step in steps {
            for kernel in graph.steps[step].implementation(imageCount: imageCount).kernels { hasRun[kernel] = true }
        }
    }
}
