/* spawn: one program as a child process that leads its own group and ends with the supervisor. */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <sys/types.h>

#include "plan.h"

/* Everything the child needs, made before the fork: behind it only async-signal-safe calls are
 * allowed, because NNG's threads are running. */
struct spawn {
    const char *program;
    char *const *argv;
    char **env;
    const cpu_set_t *cpus; /* NULL = any */
    const char *dir;
    int in, out, err; /* all above 2 */
    int tally;        /* stays open under its number; -1 = none */
    bool as_user, shared_group;
    uid_t uid;
    gid_t gid;
    gid_t groups[64];
    int group_count;
};

/* What a child that could not become the program says through the pipe. */
struct spawn_failure {
    int error;
    char step; /* c processors, d directory, u user, x program */
};

/* Run it as the user of its section, if that names one. */
void spawn_user(struct spawn *s, const struct plan_keys *k);

/* The child's pid, or -1 with errno. *failure_fd is to be read once the child has ended: a struct
 * spawn_failure in it means that the program never ran. */
pid_t spawn_start(const struct spawn *s, int *failure_fd);

/* Environment of a stage; free it with spawn_env_free. */
char **spawn_env(const struct plan_stage *stage, const char *run_dir, int tally);
void spawn_env_free(char **env);

/* Close every descriptor from `first` on. Async-signal-safe. */
void spawn_close_from(int first);

#endif
