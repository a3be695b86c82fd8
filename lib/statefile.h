/* statefile: memory that outlives the process: a small file in the run directory, mapped, so that a
 * killed stage goes on where it was, without a system call when something changes.
 */
#ifndef TAPLINE_STATEFILE_H
#define TAPLINE_STATEFILE_H

#include <stddef.h>

/* Map $TAPLINE_RUN/NAME.state, making it (all zero) when it is missing; its content is whatever the
 * last process left, so the caller checks it. Without a run directory it is plain memory and ends
 * with the process. */
void *statefile_open(const char *name, size_t size);
void statefile_close(void *p, size_t size);

#endif
