/// How a Vulkan device is chosen, opened and treated when it fails.
package struct VulkanOptions: Sendable {
    /// Index, UUID or a part of the name; nil takes the usable device with the most memory.
    package var device: String?
    /// Whether a software device, which is the processor, may be used.
    package var allowsSoftware = false
    /// The tier to use; nil takes the best whose self-test the device passes.
    package var tier: Tier?
    /// How the tier's kernels are chosen.
    package var kernels = KernelOptions()
    /// Images a call may hold, at least 1.
    package var maximumBatch = 64
    /// Where compiled pipelines are kept; nil keeps none.
    package var cacheFolder: String?
    /// Seconds without work after which a device that was never tuned is measured, for which it needs a `cacheFolder`; nil: never.
    package var tuningIdleSeconds: Double?
    /// Whether a software device is measured too; for tests.
    package var tunesSoftware = false
    /// Tries the driver where a crash does no harm; nil opens it without a trial.
    package var probe: ProbeProcess?
    package var recovery = BackoffPolicy.Settings()
    /// Seconds after which a submission counts as hung, whatever was measured; nil: as `SubmissionTimeouts` says. For tests.
    package var submissionSeconds: Double?
    /// Turns the validation layers on and collects what they say; for tests.
    package var validation: ValidationLog?
    /// Has calls fail; for tests.
    package var faults: VulkanFaults?

    package init() {}
}
