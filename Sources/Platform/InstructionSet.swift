internal import CPlatform

/// An instruction set that SIMD kernels are written for, weakest first; the raw value is a `CPlatform_isa`.
///
/// `isa.h` says which processor features each needs. The build's baseline stays x86-64: a dispatch table of kernels is
/// looked up by instruction set at run time.
package enum InstructionSet: UInt32, CaseIterable, Sendable {
    case portable = 0
    case avx2 = 1
    case avx512 = 2

    /// The best instruction set of this machine, or the one that `LIKENESS_ISA` names when the machine has it; always
    /// the same one.
    package static var chosen: InstructionSet {
        InstructionSet(rawValue: CPlatform_chosen_isa().rawValue) ?? .portable
    }

    /// `portable`, `avx2` or `avx512`, as `LIKENESS_ISA` spells it.
    package var name: String { "\(self)" }
}
