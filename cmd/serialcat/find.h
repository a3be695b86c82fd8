/* find: which of the wanted devices is there.
 *
 * A wanted device is a path, which may be a symbolic link such as those in /dev/serial/by-id, or a
 * glob pattern such as /dev/ttyACM*.
 */
#ifndef SERIALCAT_FIND_H
#define SERIALCAT_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "opt.h"

enum { FIND_PATH = 256 };

/* The first that is there, in the order of the list and by name within a pattern. */
bool find_device(const struct opt_list *wanted, char out[FIND_PATH]);

/* Where news about one wanted device would show: the deepest directory on the way to it that
 * exists, and the name (or pattern) to look for in it. */
void find_place(const char *wanted, char dir[FIND_PATH], char name[FIND_PATH]);

/* "/dev/a or /dev/b" */
void find_list(const struct opt_list *wanted, char *out, size_t size);

#endif
