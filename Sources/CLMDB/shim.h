#include <lmdb.h>
/* Swift's Glibc has no statfs, which tells where LMDB must not be used. */
#include <sys/statfs.h>
