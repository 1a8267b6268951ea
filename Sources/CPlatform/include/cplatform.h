#ifndef CPLATFORM_H
#define CPLATFORM_H

#include <stdint.h>
#include <sys/types.h>

/* Linux calls that Swift cannot import (variadic, macro or missing from glibc). Each returns what the
   system call returns: >= 0, or -1 with errno set. */

/* Opens `path` below `directory`, never above it and through no symbolic link (openat2, RESOLVE_BENEATH |
   RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS); falls back to openat with O_NOFOLLOW per component where the kernel or a
   sandbox has no openat2. Adds O_CLOEXEC. */
int CPlatform_open_beneath(int directory, const char *_Nonnull path, int flags);

/* Names the calling thread, at most 15 bytes shown by the kernel. */
void CPlatform_set_thread_name(const char *_Nonnull name);

/* Cores that the process may run on (sched_getaffinity), at least 1. */
int CPlatform_available_cores(void);

/* Peer of a connected AF_UNIX socket. Returns 0 and fills the ids, or -1: not a Unix socket, or unknown
   (on TCP, SO_PEERCRED itself succeeds with uid 4294967295, so the family is checked first). */
int CPlatform_peer_credentials(int socket, uid_t *_Nonnull uid, gid_t *_Nonnull gid, pid_t *_Nonnull pid);

/* Opens what lies at `path` below `directory` for a look only (O_PATH): a symbolic link at its end is opened itself. */
int CPlatform_open_path_beneath(int directory, const char *_Nonnull path);

/* Tells malloc to give large blocks back to the kernel and to share two heaps among all threads. By default the size that
   counts as large grows with what is freed, and each of many threads may keep a heap of its own with what it freed. Before
   the first thread starts; where the C library has no such settings, nothing happens. */
void CPlatform_keep_heap_small(void);

/* A counter to wake a poll: eventfd, non-blocking, close on exec. */
int CPlatform_eventfd(void);

#endif
