internal import CIndexKernels
internal import Platform

/// The dispatch table of the vector kernels for one instruction set. Kernels are named by operation, data type and
/// instruction set.
struct DispatchTable: @unchecked Sendable {
    // `@unchecked`: points to a constant of the C module.
    let table: UnsafePointer<CIndexKernels_dispatch_table>
    let name: String

    /// nil when the machine lacks `isa`.
    init?(_ isa: InstructionSet) {
        guard let table = CIndexKernels_dispatch_table_for(isa.rawValue) else { return nil }
        self.table = table
        name = isa.name
    }

    /// The table of `InstructionSet.chosen`.
    static var chosen: DispatchTable {
        guard let kernels = DispatchTable(.chosen) else { preconditionFailure("the chosen kernels do not exist") }
        return kernels
    }
}
