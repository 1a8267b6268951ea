#define _GNU_SOURCE
#include "cplatform.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_each_component(int directory, const char *path, int flags) {
    if (path[0] == '/') {
        errno = EXDEV;
        return -1;
    }
    char part[NAME_MAX + 1];
    int at = directory;
    for (;;) {
        while (*path == '/') path++;
        const char *end = strchrnul(path, '/');
        size_t length = (size_t)(end - path);
        const char *next = end;
        while (*next == '/') next++;
        int last = *next == 0;
        int opened = -1;
        if (length == 0 || length > NAME_MAX) {
            errno = length == 0 ? ENOENT : ENAMETOOLONG;
        } else {
            memcpy(part, path, length);
            part[length] = 0;
            if (strcmp(part, "..") == 0) {
                errno = EXDEV;
            } else {
                int how = last ? flags : O_PATH | O_DIRECTORY;
                opened = openat(at, part, how | O_NOFOLLOW | O_CLOEXEC);
            }
        }
        if (at != directory) {
            int saved = errno;
            close(at);
            errno = saved;
        }
        if (opened < 0 || last) return opened;
        at = opened;
        path = next;
    }
}

int CPlatform_open_beneath(int directory, const char *path, int flags) {
    struct open_how how = {
        .flags = (uint64_t)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
    };
    long result = syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (result < 0 && (errno == ENOSYS || errno == EPERM)) return open_each_component(directory, path, flags);
    return (int)result;
}

void CPlatform_set_thread_name(const char *name) {
    char shown[16] = {0};
    strncpy(shown, name, sizeof shown - 1);
    prctl(PR_SET_NAME, shown, 0, 0, 0);
}

int CPlatform_available_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    int count = CPU_COUNT(&set);
    return count > 0 ? count : 1;
}

int CPlatform_peer_credentials(int socket, uid_t *uid, gid_t *gid, pid_t *pid) {
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    if (getsockname(socket, (struct sockaddr *)&address, &length) != 0) return -1;
    if (address.ss_family != AF_UNIX) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    struct ucred credentials;
    length = sizeof credentials;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    if (credentials.uid == (uid_t)-1) {
        errno = ENODATA;
        return -1;
    }
    *uid = credentials.uid;
    *gid = credentials.gid;
    *pid = credentials.pid;
    return 0;
}

int CPlatform_eventfd(void) { return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC); }

int CPlatform_open_path_beneath(int directory, const char *path) {
    return CPlatform_open_beneath(directory, path, O_PATH | O_NOFOLLOW);
}

void CPlatform_keep_heap_small(void) {
#ifdef M_ARENA_MAX
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
    mallopt(M_TRIM_THRESHOLD, 1 << 20);
#endif
}
