/* runlock: one supervisor to a run directory, and how others see that it is there.
 *
 * Two bytes of $TAPLINE_RUN/lock are locked. The first is the supervisor's alone. The second is
 * shared with its guard, the process that ends what a killed supervisor leaves behind: while it is
 * held, the directory's sockets may still be in use. The file says "PID\nNAME\nFILE\n". A file that
 * nobody holds is stale and harmless.
 *
 * The directory itself is locked too (flock, shared), which keeps systemd-tmpfiles out of it.
 * Others may still remove it under us: whoever holds the lock then holds nothing that can be found,
 * so it asks now and then (runlock_ours), and touches nothing by its name unless it is so.
 */
#ifndef TAPLINE_RUNLOCK_H
#define TAPLINE_RUNLOCK_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

struct runlock {
    int own;    /* descriptor of the first lock */
    int shared; /* and of the second, to be inherited by the guard */
    int dir;    /* of the directory; -1 = not locked */
};

struct runlock_info {
    long pid;
    char name[64];
    char file[512];
};

/* Take both, waiting for the second at most wait_ms. -1 with a text that names the holder. */
int runlock_take(struct runlock *l, const char *dir, const char *name, const char *file,
                 int wait_ms, struct err *e);

/* Whether the file that we hold is still the one that others find. */
bool runlock_ours(const struct runlock *l, const char *dir);

/* Remove the file, if it is ours; nobody finds us any more. */
void runlock_hide(const struct runlock *l, const char *dir);
/* The same, and let go. */
void runlock_drop(struct runlock *l, const char *dir);

/* Whether a supervisor holds dir, and which. */
bool runlock_held(const char *dir, struct runlock_info *info);

/* To wait for its end: a descriptor of the lock file (-1 = there is none), which tells of this
 * supervisor until the last moment, also when the file has gone or is another's. */
int runlock_watch(const char *dir);
bool runlock_watched(int fd);

#endif
