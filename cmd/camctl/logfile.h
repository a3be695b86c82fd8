/* logfile: the log lines once more, in a file: "2026-11-20 14:00:00,123 - camctl - INFO - text".
 *
 * It is kept below LOGFILE_BYTES: a full one becomes FILE.1, in place of an earlier one.
 */
#ifndef CAMCTL_LOGFILE_H
#define CAMCTL_LOGFILE_H

#include "err.h"

enum { LOGFILE_BYTES = 8 << 20 };

/* path and name (of the logger) are kept, not copied. */
int logfile_open(const char *path, const char *name, struct err *e);
void logfile_close(void);

#endif
