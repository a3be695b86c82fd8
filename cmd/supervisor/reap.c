#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor.h"

enum { ADOPTED_MAX = 1000, ADOPTED_MS = 200 };

static struct child *find(struct supervisor *s, pid_t pid) {
    for (size_t i = 0; i < s->children; i++)
        if (s->child[i].pid == pid)
            return &s->child[i];
    return NULL;
}

void reap_new_guard(struct supervisor *s) {
    struct err e;
    guard_stop(&s->guard);
    if (guard_start(&s->guard, &e) < 0) {
        logs_say(&s->logs, LOG_ERROR, "%s", e.text);
        return;
    }
    for (size_t i = 0; i < s->children; i++)
        if (s->child[i].pid)
            guard_tell(&s->guard, s->child[i].pid, true);
}

static void guard_ended(struct supervisor *s) {
    logs_say(&s->logs, LOG_WARN, "the guard has been ended; starting another");
    s->guard.pid = 0;
    reap_new_guard(s);
}

/* What the stage started and left running goes with it: it may hold the stage's pipes. As long as
 * the stage is a zombie, nobody else can have its group's number. */
static void reap_one(struct supervisor *s, pid_t pid) {
    struct child *c = find(s, pid);
    int status = 0;
    if (c)
        kill(-pid, SIGKILL);
    waitpid(pid, &status, 0);
    if (c)
        child_ended(c, status);
    else if (pid == s->guard.pid)
        guard_ended(s);
}

void reap_all(struct supervisor *s) {
    siginfo_t info;
    for (;;) {
        info.si_pid = 0;
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0)
            return;
        reap_one(s, info.si_pid);
    }
}

/* Kill every child but the guard; how many there were. */
static int kill_adopted(const struct supervisor *s) {
    char path[64];
    int n = 0, pid;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "re");
    while (f && n < ADOPTED_MAX && fscanf(f, "%d", &pid) == 1)
        if (pid != s->guard.pid && kill(pid, SIGKILL) == 0)
            n++;
    if (f)
        fclose(f);
    return n;
}

/* Processes that left their stage's group and lost their parent have become our children. */
void reap_adopted(struct supervisor *s) {
    for (int waited = 0; waited < ADOPTED_MS && kill_adopted(s) > 0; waited++) {
        usleep(1000);
        for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
            if (pid == s->guard.pid)
                s->guard.pid = 0;
    }
}
