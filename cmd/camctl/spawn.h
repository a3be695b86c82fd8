/* spawn: a program as a child process that leads its own group and ends with its parent. */
#ifndef CAMCTL_SPAWN_H
#define CAMCTL_SPAWN_H

#include <sys/types.h>

/* Descriptors of the child's standard input, output and error; -1 is /dev/null. Its pid, or -1 with
 * errno. A child that could not become the program says so on its standard error and ends with
 * status 127. */
pid_t spawn_start(const char *path, char *const *argv, int in, int out, int err);

#endif
