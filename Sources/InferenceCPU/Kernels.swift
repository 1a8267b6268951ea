internal import CConvolution
internal import COpenBLAS
internal import Platform

/// The C kernels of one instruction set, and OpenBLAS where these have no products of their own.
struct Kernels: Sendable {
    /// Channel counts are padded to a multiple of this.
    static let channelMultiple = Int(CCONVOLUTION_CHANNEL_MULTIPLE)
    /// Multiplications per tile and pair of channels of F(4x4, 3x3).
    static let planeCount = Int(CCONVOLUTION_WINOGRAD_PLANES)

    let table: CConvolution_dispatch_table
    /// `portable`, `avx2` or `avx512`.
    let instructionSet: String

    /// Takes the machine's best instruction set.
    init() {
        self = Kernels(.chosen) ?? Self.portable
    }

    /// Takes a given instruction set; nil when the machine lacks it.
    init?(_ isa: InstructionSet) {
        guard let table = CConvolution_dispatch_table_for(isa.rawValue) else { return nil }
        self.table = table.pointee
        instructionSet = isa.name
    }

    /// Every set that this machine has, weakest first.
    static var available: [Kernels] {
        InstructionSet.allCases.compactMap { Kernels($0) }
    }

    private static var portable: Kernels {
        guard let kernels = Kernels(.portable) else {
            preconditionFailure("the portable kernels are always built")
        }
        return kernels
    }

    static func padded(_ channels: Int) -> Int { (channels + channelMultiple - 1) / channelMultiple * channelMultiple }

    /// Keeps OpenBLAS from starting threads of its own: the team calls it from each of its threads.
    static func useOneThreadPerProduct() { openblas_set_num_threads(1) }

    /// For people, such as `avx512 kernels` or `portable kernels, OpenBLAS Haswell`.
    var name: String {
        let blas = table.gemm_f32 == nil ? ", OpenBLAS \(String(cString: openblas_get_corename()))" : ""
        return "\(instructionSet) kernels\(blas)"
    }

    /// Of OpenBLAS, as loaded; the library tells it among its build settings: `OpenBLAS 0.3.21 NO_LAPACKE ...`.
    static var blasVersion: String {
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.count > 1 ? String(words[1]) : "unknown"
    }

    /// Values of a product's left factor.
    func leftCount(rows: Int, depth: Int) -> Int {
        let block = table.gemm_f32 == nil ? 1 : Int(CCONVOLUTION_ROWS)
        return (rows + block - 1) / block * block * depth
    }

    /// Columns of a panel of a product's right factor of `columns`.
    func panelColumns(of columns: Int) -> Int { table.gemm_f32 == nil ? columns : Int(table.product_panel) }

    /// `product[rows, columns] (+)= left[rows, depth] * right[depth, columns]`, laid out as `cconvolution.h` says.
    func multiply(
        _ left: UnsafePointer<Float>,
        _ right: UnsafePointer<Float>,
        rows: Int,
        depth: Int,
        columns: Int,
        accumulate: Bool,
        into product: UnsafeMutablePointer<Float>
    ) {
        let (rows32, depth32, columns32) = (Int32(rows), Int32(depth), Int32(columns))
        if let multiply = table.gemm_f32 {
            return multiply(left, right, rows32, depth32, columns32, accumulate ? 1 : 0, product)
        }
        // With beta = 0 the old content of `product` is not read.
        cblas_sgemm(
            CblasRowMajor,
            CblasNoTrans,
            CblasNoTrans,
            rows32,
            columns32,
            depth32,
            1,
            left,
            depth32,
            right,
            columns32,
            accumulate ? 1 : 0,
            product,
            columns32
        )
    }
}
