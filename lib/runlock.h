/* runlock: one supervisor to a run directory, and how others see that it is there.
 *
 * Two bytes of $TAPLINE_RUN/lock are locked. The first is the supervisor's alone. The second is
 * shared with its guard, the process that ends what a killed supervisor leaves behind: while it is
 * held, the directory's sockets may still be in use. The file says "PID\nNAME\nFILE\n". A file that
 * nobody holds is stale and harmless.
 */
#ifndef TAPLINE_RUNLOCK_H
#define TAPLINE_RUNLOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct runlock {
    int own;    /* descriptor of the first lock */
    int shared; /* and of the second, to be inherited by the guard */
};

struct runlock_info {
    long pid;
    char name[64];
    char file[512];
};

/* Take both, waiting for the second at most wait_ms. -1 with a text that names the holder. */
int runlock_take(struct runlock *l, const char *dir, const char *name, const char *file,
                 int wait_ms, struct err *e);

/* Remove the file and let go. */
void runlock_drop(struct runlock *l, const char *dir);

/* Whether a supervisor holds dir, and which. */
bool runlock_held(const char *dir, struct runlock_info *info);

#endif
