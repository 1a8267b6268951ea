internal import COpenBLAS

/// Eigenvalues and eigenvectors of a symmetric matrix, by LAPACK's divide and conquer.
package enum Eigenvectors {
    /// LAPACK did not converge, or refused an argument; the number is its `info`.
    package struct Failure: Error, Equatable {
        package let info: Int
    }

    /// Replaces a symmetric matrix by its eigenvectors, one a row, of length 1.
    ///
    /// - Parameters:
    ///   - matrix: `[size, size]`, row-major; the upper triangle is enough (row <= column).
    ///   - size: at least 1.
    /// - Returns: eigenvalues in rising order, those of the rows.
    /// - Throws: `Failure`.
    /// - Complexity: O(size^3); 512 took 0.1 s.
    package static func replace(_ matrix: inout [Double], size: Int) throws(Failure) -> [Double] {
        precondition(matrix.count == size * size, "\(matrix.count) numbers in a matrix of \(size) rows")
        openblas_set_num_threads(1)
        var values = [Double](repeating: 0, count: size)
        var order = Int32(size)
        var info: Int32 = 0
        // LAPACK tells what memory it needs when asked with -1.
        var workCount: Int32 = -1
        var integerCount: Int32 = -1
        var work = [0.0]
        var integers: [Int32] = [0]
        for _ in 0..<2 {
            // Fortran's lower triangle of columns is the upper one of rows.
            dsyevd_(
                "V",
                "L",
                &order,
                &matrix,
                &order,
                &values,
                &work,
                &workCount,
                &integers,
                &integerCount,
                &info,
                1,
                1
            )
            guard info == 0 else { throw Failure(info: Int(info)) }
            guard workCount == -1 else { break }
            workCount = Int32(work[0])
            integerCount = integers[0]
            work = [Double](repeating: 0, count: Int(workCount))
            integers = [Int32](repeating: 0, count: Int(integerCount))
        }
        return values
    }
}
