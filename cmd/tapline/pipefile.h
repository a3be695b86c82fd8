/* pipefile: where the file of a pipeline lies. */
#ifndef TAPLINE_PIPEFILE_H
#define TAPLINE_PIPEFILE_H

#include <stdbool.h>

/* The file that name means: itself, or one called so in ./pipelines, in /etc/tapline or among those
 * that came with tapline. NULL when a bare name is found nowhere; a path stays as it is. In name,
 * or valid until the next call. */
const char *pipefile_find(const char *name);

/* Whether it is the name, not the path, of a pipeline. */
bool pipefile_known(const char *name);

/* The names of all that are known, each with a blank behind it, for shell completion; a static
 * text. */
const char *pipefile_names(void);

/* Say of a bare name where it was looked for, and what there is. The exit status. */
int pipefile_say_unknown(const char *name);

#endif
