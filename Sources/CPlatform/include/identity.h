#ifndef CPLATFORM_IDENTITY_H
#define CPLATFORM_IDENTITY_H

#include <stdint.h>

/* Which object an open file is, and through which mount it was reached. */
struct CPlatform_identity {
    uint64_t device;
    uint64_t inode;
    /* Never given twice since the boot where the kernel has such numbers (Linux 6.8), else the number of mountinfo. 0: unknown. */
    uint64_t mount;
    /* Nanoseconds since 1970 of its creation; 0 where the file system does not keep that. */
    int64_t born;
};

/* O_PATH, which Swift does not see: to open for a look, without the right to read. */
extern const int CPlatform_O_PATH;

/* statx of an open file, opened in any way; fstat and /proc/self/fdinfo where there is no statx or it tells no mount. */
int CPlatform_identify(int descriptor, struct CPlatform_identity *_Nonnull identity);

/* `f_type` and `f_fsid` of the file system that holds an open file (fstatfs). */
int CPlatform_file_system(int descriptor, uint32_t *_Nonnull type, uint64_t *_Nonnull number);

#endif
