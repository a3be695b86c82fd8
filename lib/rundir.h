/* rundir: the directory in which a running pipeline keeps its sockets.
 *
 * $TAPLINE_RUN when set; else tapline/NAME under $XDG_RUNTIME_DIR, else under /run (root) or
 * /tmp/tapline-UID. Mode 0700.
 */
#ifndef TAPLINE_RUNDIR_H
#define TAPLINE_RUNDIR_H

#include <stddef.h>

#include "err.h"

enum { RUNDIR_MAX = 80 /* leaves room for a socket's name within the 107 bytes of sun_path */ };

/* The directory above the pipelines' own, without regard to $TAPLINE_RUN. */
const char *rundir_base(void);

/* Where services have theirs (systemd's /run/tapline; $TAPLINE_SYSTEM_RUN, for tests). */
const char *rundir_system(void);

/* The directory of pipeline `name`; with name NULL: $TAPLINE_RUN, else the only pipeline that is
 * there, else "default" under the base. -1 when the path would be too long. */
int rundir_path(char *out, size_t size, const char *name, struct err *e);

/* Make it and what is above it. -1 when that fails or it belongs to somebody else. */
int rundir_make(const char *dir, struct err *e);

/* DIR/NAME.SUFFIX in the current run directory. */
int rundir_file(char *out, size_t size, const char *name, const char *suffix, struct err *e);

#endif
