// Preloaded into a worker: makes the k-th of one system call on the files below a folder fail, once or from then on.
//
// libfiu fails a call by its name or by chance, not the k-th one on certain files, and writes no part of what it was given.
//
//   LIKENESS_FAULT_CALL     pwrite, writev (and what else writes), fdatasync, fsync, msync, mmap, open or ftruncate;
//                           short: half of a write succeeds; lie: a write is left out and said to have succeeded
//   LIKENESS_FAULT_AT       k, from 1
//   LIKENESS_FAULT_LASTING  1: all later ones too
//   LIKENESS_FAULT_ERROR    EIO, ENOSPC, EDQUOT, EFBIG, ENOMEM or a number
//   LIKENESS_FAULT_BELOW    the folder
//   LIKENESS_FAULT_MARK     a file that is made when a call failed
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *wanted, *folder, *mark;
static long at;
static int lasting, code;
static atomic_long count;

__attribute__((constructor)) static void configure(void) {
    static const struct { const char *name; int code; } codes[] = {
        {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EDQUOT", EDQUOT}, {"EFBIG", EFBIG}, {"ENOMEM", ENOMEM},
    };
    const char *error = getenv("LIKENESS_FAULT_ERROR");
    const char *number = getenv("LIKENESS_FAULT_AT");
    const char *is_lasting = getenv("LIKENESS_FAULT_LASTING");
    folder = getenv("LIKENESS_FAULT_BELOW");
    mark = getenv("LIKENESS_FAULT_MARK");
    at = number ? atol(number) : 1;
    lasting = is_lasting && is_lasting[0] == '1';
    code = error ? atoi(error) : EIO;
    for (size_t i = 0; error && i < sizeof codes / sizeof *codes; i++)
        if (!strcmp(error, codes[i].name)) code = codes[i].code;
    if (folder) wanted = getenv("LIKENESS_FAULT_CALL");
}

static int is_below(const char *path) {
    size_t length = strlen(folder);
    return !strncmp(path, folder, length) && (path[length] == '/' || !path[length]);
}

static int is_ours(int descriptor) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_below(path);
}

// Whether this call is one to fail.
static int strikes(const char *call) {
    if (!wanted || strcmp(wanted, call)) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (number < at || (number > at && !lasting)) return 0;
    if (mark) {
        int descriptor = (int)syscall(SYS_openat, AT_FDCWD, mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (descriptor >= 0) syscall(SYS_close, descriptor);
    }
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL return errno = code, -1

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    if (wanted && is_ours(descriptor)) {
        if (strikes("pwrite")) FAIL;
        if (strikes("short")) size /= 2;
        if (strikes("lie")) return (ssize_t)size;
    }
    return REAL(pwrite)(descriptor, bytes, size, offset);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
    return pwrite(descriptor, bytes, size, offset);
}

static ssize_t total(const struct iovec *parts, int part_count) {
    ssize_t size = 0;
    for (int i = 0; i < part_count; i++) size += (ssize_t)parts[i].iov_len;
    return size;
}

ssize_t writev(int descriptor, const struct iovec *parts, int part_count) {
    if (wanted && is_ours(descriptor)) {
        if (strikes("writev")) FAIL;
        if (strikes("short")) part_count = (part_count + 1) / 2;
        if (strikes("lie")) return total(parts, part_count);
    }
    return REAL(writev)(descriptor, parts, part_count);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int part_count, off_t offset) {
    if (wanted && is_ours(descriptor)) {
        if (strikes("writev")) FAIL;
        if (strikes("short")) part_count = (part_count + 1) / 2;
        if (strikes("lie")) return total(parts, part_count);
    }
    return REAL(pwritev)(descriptor, parts, part_count, offset);
}

int fdatasync(int descriptor) {
    if (wanted && is_ours(descriptor) && strikes("fdatasync")) FAIL;
    return REAL(fdatasync)(descriptor);
}

int fsync(int descriptor) {
    if (wanted && is_ours(descriptor) && strikes("fsync")) FAIL;
    return REAL(fsync)(descriptor);
}

int msync(void *start, size_t size, int flags) {
    if (strikes("msync")) FAIL;
    return REAL(msync)(start, size, flags);
}

void *mmap(void *start, size_t size, int protection, int flags, int descriptor, off_t offset) {
    if (wanted && descriptor >= 0 && is_ours(descriptor) && strikes("mmap")) return errno = code, MAP_FAILED;
    return (void *)syscall(SYS_mmap, start, size, protection, flags, descriptor, offset);
}

int ftruncate(int descriptor, off_t size) {
    if (wanted && is_ours(descriptor) && strikes("ftruncate")) FAIL;
    return REAL(ftruncate)(descriptor, size);
}

int open(const char *path, int flags, ...) {
    mode_t mode = 0;
    if (flags & (O_CREAT | O_TMPFILE)) {
        va_list rest;
        va_start(rest, flags);
        mode = va_arg(rest, mode_t);
        va_end(rest);
    }
    if (wanted && is_below(path) && strikes("open")) FAIL;
    return REAL(open)(path, flags, mode);
}
