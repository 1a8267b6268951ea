#include <cblas.h>
#include <stddef.h>

/* Eigenvalues (rising) and eigenvectors of a real symmetric matrix: LAPACK's `dsyevd`, which libopenblas holds but cblas.h does not
 * declare. Fortran passes everything by address and the length of each string at the end. */
void dsyevd_(const char *_Nonnull jobz, const char *_Nonnull uplo, const int *_Nonnull n, double *_Nonnull a,
             const int *_Nonnull lda, double *_Nonnull w, double *_Nonnull work, const int *_Nonnull lwork,
             int *_Nonnull iwork, const int *_Nonnull liwork, int *_Nonnull info, size_t jobz_length, size_t uplo_length);
