/* guard: a process that outlives a killed parent by a moment and ends what it left behind.
 *
 * It knows every process group that its parent runs. When the parent is gone (their pipe closes),
 * the groups get SIGTERM and, after a grace, SIGKILL: that also reaches the stopped, the deaf, and
 * the children of children, which PR_SET_PDEATHSIG does not. What starts a session of its own
 * escapes it.
 */
#ifndef TAPLINE_GUARD_H
#define TAPLINE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "err.h"

enum { GUARD_GROUPS = 256 /* at once; more are not guarded */ };

struct guard {
    /* Set by the owner. */
    const char *name; /* its own, in ps; at most 15 bytes */
    int grace_ms;     /* from SIGTERM to SIGKILL */
    int lock_fd;      /* a descriptor that it keeps open until everything has ended; -1 = none */
    char *title;      /* our command line, which its name overwrites in ps; NULL = it does not */
    size_t title_bytes;

    int fd;    /* our end of the pipe; -1 = there is none, which is to be set first, too */
    pid_t pid; /* 0 = none. Its end is a SIGCHLD like others: the owner sets it to 0 then */
};

int guard_start(struct guard *g, struct err *e);
/* A process group has begun, has ended. */
void guard_tell(struct guard *g, pid_t group, bool running);
/* Nothing is left to guard: end it and wait for it. */
void guard_stop(struct guard *g);

#endif
