/* guard: a small process that outlives this one by a second and ends what it has left behind.
 *
 * A camera program that goes on after kill -9 would hold the camera, and the next camctl could not
 * open it. The kernel's parent-death signal reaches children only, not what they have started.
 */
#ifndef CAMCTL_GUARD_H
#define CAMCTL_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

enum { GUARD_GROUPS = 16, GUARD_GRACE_MS = 500 };

/* Before any thread exists. Without a guard everything works but kill -9. */
void guard_start(void);
/* A process group has begun or ended. */
void guard_tell(pid_t group, bool running);

/* SIGCHLD has come: it may have been the guard. */
void guard_reap(void);

#endif
