internal import CKernels
internal import COpenBLAS

/// The C kernels of one instruction set and OpenBLAS.
struct Kernels: Sendable {
    /// Channel counts are padded to a multiple of this.
    static let channelMultiple = Int(CKERNELS_CHANNEL_MULTIPLE)
    /// Multiplications per tile and pair of channels of F(4x4, 3x3).
    static let planeCount = Int(CKERNELS_WINOGRAD_PLANES)

    let table: CKernels_convolution
    /// `portable`, `avx2` or `avx512`.
    let instructionSet: String

    /// Takes the machine's best instruction set.
    init() {
        self = Kernels(CKernels_chosen()) ?? Self.portable
    }

    /// Takes a given instruction set; nil when the machine lacks it.
    init?(_ isa: CKernels_isa) {
        guard let table = CKernels_convolution_table(isa) else { return nil }
        self.table = table.pointee
        instructionSet = String(cString: CKernels_name(isa))
    }

    /// Every set that this machine has, weakest first.
    static var available: [Kernels] {
        [.CKERNELS_ISA_PORTABLE, .CKERNELS_ISA_AVX2, .CKERNELS_ISA_AVX512].compactMap { Kernels($0) }
    }

    private static var portable: Kernels {
        guard let kernels = Kernels(.CKERNELS_ISA_PORTABLE) else {
            preconditionFailure("the portable kernels are always built")
        }
        return kernels
    }

    static func padded(_ channels: Int) -> Int { (channels + channelMultiple - 1) / channelMultiple * channelMultiple }

    /// Keeps OpenBLAS from starting threads of its own: the team calls it from each of its threads.
    static func useOneThreadPerProduct() { openblas_set_num_threads(1) }

    /// The processor that OpenBLAS chose its kernels for, such as `SkylakeX`.
    static var blasCore: String { String(cString: openblas_get_corename()) }

    /// Of OpenBLAS, as loaded; the library tells it among its build settings: `OpenBLAS 0.3.21 NO_LAPACKE ...`.
    static var blasVersion: String {
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.count > 1 ? String(words[1]) : "unknown"
    }

    /// Row-major `product[m, n] = left[m, k] * right[k, n]`, without gaps between rows.
    ///
    /// The corresponding C function is `cblas_sgemm`.
    static func multiply(
        _ left: UnsafePointer<Float>,
        _ right: UnsafePointer<Float>,
        m: Int,
        n: Int,
        k: Int,
        into product: UnsafeMutablePointer<Float>
    ) {
        let (m32, n32, k32) = (Int32(m), Int32(n), Int32(k))
        // With beta = 0 the old content of `product` is not read.
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasNoTrans,
            m32,
            n32,
            k32,
            1,
            left,
            k32,
            right,
            n32,
            0,
            product,
            n32
        )
    }
}
