/* spawn: one program as a child process that leads its own group and gets SIGTERM when its parent
 * ends, however that ends (guard.h is for those that do not listen to it). */
#ifndef TAPLINE_SPAWN_H
#define TAPLINE_SPAWN_H

#include <sched.h>
#include <stdbool.h>
#include <sys/types.h>

/* Everything the child needs, made before the fork: behind it only async-signal-safe calls are
 * allowed, because NNG's threads are running. */
struct spawn {
    const char *program; /* its path */
    char *const *argv;
    char **env;            /* NULL = our own */
    const cpu_set_t *cpus; /* NULL = any */
    const char *dir;       /* NULL = ours */
    int in, out, err;      /* all above 2; -1 = /dev/null */
    int keep;              /* stays open under its number; -1 = none */
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

/* Run it as this user, with all groups that user is in. */
void spawn_user(struct spawn *s, const char *user, uid_t uid, gid_t gid);

/* The child's pid, or -1 with errno. *failure_fd is to be read once the child has ended: a struct
 * spawn_failure in it means that the program never ran. Without it (NULL) the child says that in a
 * line on its standard error. Either way its exit status is 127 then. */
pid_t spawn_start(const struct spawn *s, int *failure_fd);

/* Close every descriptor from `first` on. Async-signal-safe. */
void spawn_close_from(int first);

#endif
