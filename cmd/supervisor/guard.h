/* guard: a process that outlives a killed supervisor by a moment and ends what it left behind.
 *
 * It holds the second lock of the run directory and knows every process group that is running.
 * When the supervisor is gone (their pipe closes), the groups get SIGTERM, after GUARD_GRACE_MS
 * SIGKILL: that also reaches the stopped, the deaf, and the children of children, which
 * PR_SET_PDEATHSIG does not. What starts a session of its own escapes it.
 */
#ifndef SUPERVISOR_GUARD_H
#define SUPERVISOR_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

enum { GUARD_GRACE_MS = 900, GUARD_GROUPS = 256 };

struct guard {
    pid_t pid;
    int fd;      /* our end of the pipe */
    int lock_fd; /* descriptor the guard keeps */
    char *title; /* our command line, to be overwritten by its own name in ps; or NULL */
    size_t title_bytes;
};

/* lock_fd and title are set. */
int guard_start(struct guard *g, struct err *e);
/* A process group has begun, has ended. */
void guard_tell(struct guard *g, pid_t group, bool running);
/* Nothing is left to guard: end it and wait for it. */
void guard_stop(struct guard *g);

#endif
