/* program: where tapline's own programs and data lie.
 *
 * Built, all programs are in one directory. Installed, the stages are in PREFIX/libexec/tapline and
 * tapline itself in PREFIX/bin; www, media and pipelines are in PREFIX/share/tapline.
 */
#ifndef TAPLINE_PROGRAM_H
#define TAPLINE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

enum { PROGRAM_PATH = 4096 };

/* The directory of the running binary; "." when /proc is missing. */
const char *program_dir(void);

/* The executable `name`: with a slash a path from here, else one of tapline's own, else from PATH.
 * out receives an absolute path; *own (may be NULL) says whether it is tapline's. -1 with cause
 * absent or permission. */
int program_find(char *out, size_t size, const char *name, bool *own, struct err *e);

/* The directory that holds www/, media/ and pipelines/, for a pipeline file in `here` (absolute;
 * may be NULL): $TAPLINE_SHARE, the directory above a `pipelines` that stands beside a `www`, what
 * lies around the binary; else `here`, else ".". */
void program_share(char *out, size_t size, const char *here);

/* Descriptors 0 to 2 must not become something else of ours: those that are closed are taken. A
 * closed standard input is an empty one then, and writing to a closed standard output an error, as
 * it would be without us. */
void program_hold_standard(void);

#endif
