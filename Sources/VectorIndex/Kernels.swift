internal import CIndexKernels
internal import Platform

/// The table of kernels of one instruction set.
struct Kernels: @unchecked Sendable {
    // `@unchecked`: points to a constant of the C module.
    let table: UnsafePointer<CIndexKernels_vectors>
    let name: String

    /// nil when the machine has not got `isa`.
    init?(_ isa: InstructionSet) {
        guard let table = CIndexKernels_vectors_for(isa.rawValue) else { return nil }
        self.table = table
        name = isa.name
    }

    /// The best of the machine, or what `LIKENESS_ISA` names.
    static var chosen: Kernels {
        guard let kernels = Kernels(.chosen) else { preconditionFailure("the chosen kernels do not exist") }
        return kernels
    }
}
