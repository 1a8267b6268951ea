internal import CKernels

/// The table of kernels of one instruction set.
struct Kernels: @unchecked Sendable {
    // `@unchecked`: points to a constant of the C module.
    let table: UnsafePointer<CKernels_vectors>
    let name: String

    /// nil when the machine has not got `isa`.
    init?(_ isa: CKernels_isa) {
        guard let table = CKernels_vectors_for(isa) else { return nil }
        self.table = table
        name = String(cString: CKernels_name(isa))
    }

    /// The best of the machine, or what `LIKENESS_ISA` names.
    static var chosen: Kernels {
        guard let kernels = Kernels(CKernels_chosen()) else { preconditionFailure("the chosen kernels do not exist") }
        return kernels
    }
}
