#ifndef CIMAGING_CLOCK_H
#define CIMAGING_CLOCK_H

#include <time.h>

/* Processor seconds that the calling thread has used. */
static inline double thread_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
