/* run: tapline becomes another of its programs. */
#ifndef TAPLINE_RUN_H
#define TAPLINE_RUN_H

#include <stdbool.h>

/* Whether tapline has a program of that name. */
bool run_is_program(const char *name);

/* The names of the others of tapline's programs, each with a blank behind it, for shell completion;
 * a static text. */
const char *run_programs(void);

/* Returns only when that fails, with the exit status, having said why. */
int run_program(const char *name, char **argv);

#endif
