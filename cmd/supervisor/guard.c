#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"

static const char NAME[] = "tapline-guard";

enum { STEP_MS = 10, KILL_MS = 200 };

struct note {
    pid_t group;
    bool running;
};

/* ---- in the guard: only async-signal-safe calls, for it may be forked beside NNG's threads ----
 */

static void take_note(pid_t *groups, const struct note *n) {
    for (int i = 0; i < GUARD_GROUPS; i++) {
        if (n->running ? groups[i] == 0 : groups[i] == n->group) {
            groups[i] = n->running ? n->group : 0;
            return;
        }
    }
}

static void signal_all(const pid_t *groups, int number) {
    for (int i = 0; i < GUARD_GROUPS; i++)
        if (groups[i] > 1)
            kill(-groups[i], number);
}

static bool any_left(const pid_t *groups) {
    for (int i = 0; i < GUARD_GROUPS; i++)
        if (groups[i] > 1 && kill(-groups[i], 0) == 0)
            return true;
    return false;
}

static void wait_until_gone(const pid_t *groups, int limit_ms) {
    for (int waited = 0; waited < limit_ms && any_left(groups); waited += STEP_MS)
        poll(NULL, 0, STEP_MS);
}

/* A zombie that its new parent is slow to collect counts as left, which only costs the time. */
static void end_all(const pid_t *groups) {
    signal_all(groups, SIGCONT);
    signal_all(groups, SIGTERM);
    wait_until_gone(groups, GUARD_GRACE_MS);
    signal_all(groups, SIGKILL);
    wait_until_gone(groups, KILL_MS);
}

/* Leave the supervisor's session and its files, so that nobody waits for an end of them because of
 * us, and a signal to its process group or its name spares us. */
static void become_guard(const struct guard *g, int fd) {
    prctl(PR_SET_NAME, NAME);
    if (g->title_bytes > sizeof NAME) {
        memset(g->title, 0, g->title_bytes);
        memcpy(g->title, NAME, sizeof NAME);
    }
    setsid();
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_IGN);
    dup2(fd, STDIN_FILENO);
    dup2(g->lock_fd, STDOUT_FILENO);
    close(STDERR_FILENO);
    spawn_close_from(STDERR_FILENO);
}

static void guard_run(const struct guard *g, int fd) {
    static pid_t groups[GUARD_GROUPS];
    struct note n;
    become_guard(g, fd);
    while (read(STDIN_FILENO, &n, sizeof n) == sizeof n)
        take_note(groups, &n);
    end_all(groups);
    _exit(0);
}

/* ---- in the supervisor ---- */

int guard_start(struct guard *g, struct err *e) {
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_errno(e, errno, "cannot make a pipe");
    g->pid = fork();
    if (g->pid == 0)
        guard_run(g, fd[0]);
    close(fd[0]);
    g->fd = fd[1];
    fcntl(g->fd, F_SETFL, O_NONBLOCK);
    if (g->pid < 0) {
        guard_stop(g);
        return err_errno(e, errno, "cannot start the guard");
    }
    return 0;
}

void guard_tell(struct guard *g, pid_t group, bool running) {
    struct note n = {group, running};
    ssize_t r = g->fd < 0 ? 0 : write(g->fd, &n, sizeof n);
    (void)r; /* a guard that is gone is started anew, with all groups */
}

void guard_stop(struct guard *g) {
    if (g->pid > 0) {
        kill(g->pid, SIGKILL);
        waitpid(g->pid, NULL, 0);
    }
    if (g->fd >= 0)
        close(g->fd);
    g->pid = 0;
    g->fd = -1;
}
