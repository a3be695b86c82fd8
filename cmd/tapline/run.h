/* run: tapline becomes another of its programs. */
#ifndef TAPLINE_RUN_H
#define TAPLINE_RUN_H

/* Returns only when that fails, with the exit status, having said why. */
int run_program(const char *name, char **argv);

#endif
