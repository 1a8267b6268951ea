#define _GNU_SOURCE
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#define LACKS_MOUNT_FIELD
#endif
#ifndef STATX_MNT_ID_UNIQUE
#define STATX_MNT_ID_UNIQUE 0x4000U
#endif

const int CPlatform_O_PATH = O_PATH;

/* The mount as /proc/self/fdinfo has it: a line "mnt_id:" and a number. 0 where there is no /proc. */
static uint64_t mount_by_proc(int descriptor) {
    char path[64], line[128];
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", descriptor);
    FILE *file = fopen(path, "re");
    if (!file) return 0;
    unsigned long long mount = 0;
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, "mnt_id: %llu", &mount) == 1) break;
    }
    fclose(file);
    return mount;
}

static int identify_by_fstat(int descriptor, struct CPlatform_identity *identity) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return -1;
    identity->device = status.st_dev;
    identity->inode = status.st_ino;
    identity->born = 0;
    identity->mount = mount_by_proc(descriptor);
    return 0;
}

int CPlatform_identify(int descriptor, struct CPlatform_identity *identity) {
    struct statx status;
    memset(&status, 0, sizeof status);
    unsigned wanted = STATX_INO | STATX_BTIME | STATX_MNT_ID | STATX_MNT_ID_UNIQUE;
    if (statx(descriptor, "", AT_EMPTY_PATH, wanted, &status) != 0) {
        // A kernel or a sandbox without statx.
        return errno == ENOSYS || errno == EPERM ? identify_by_fstat(descriptor, identity) : -1;
    }
    identity->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    identity->inode = status.stx_ino;
    identity->born = 0;
    if (status.stx_mask & STATX_BTIME) {
        identity->born = status.stx_btime.tv_sec * 1000000000LL + status.stx_btime.tv_nsec;
    }
#ifdef LACKS_MOUNT_FIELD
    identity->mount = mount_by_proc(descriptor);
#else
    int has_mount = (status.stx_mask & (STATX_MNT_ID | STATX_MNT_ID_UNIQUE)) != 0;
    identity->mount = has_mount ? status.stx_mnt_id : mount_by_proc(descriptor);
#endif
    return 0;
}

int CPlatform_file_system(int descriptor, uint32_t *type, uint64_t *number) {
    struct statfs status;
    if (fstatfs(descriptor, &status) != 0) return -1;
    *type = (uint32_t)status.f_type;
    memcpy(number, &status.f_fsid, sizeof *number);
    return 0;
}
