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
static void end_all(const pid_t *groups, int grace_ms) {
    signal_all(groups, SIGCONT);
    signal_all(groups, SIGTERM);
    wait_until_gone(groups, grace_ms);
    signal_all(groups, SIGKILL);
    wait_until_gone(groups, KILL_MS);
}

/* Leave our parent's session and its files, so that nobody waits for an end of them because of us,
 * and a signal to its process group or its name spares us. */
static void become_guard(const struct guard *g, int fd) {
    size_t n = strlen(g->name) + 1;
    prctl(PR_SET_NAME, g->name);
    if (g->title_bytes > n) {
        memset(g->title, 0, g->title_bytes);
        memcpy(g->title, g->name, n);
    }
    setsid();
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_IGN);
    dup2(fd, STDIN_FILENO);
    if (g->lock_fd >= 0)
        dup2(g->lock_fd, STDOUT_FILENO);
    spawn_close_from(g->lock_fd >= 0 ? STDERR_FILENO : STDOUT_FILENO);
}

static void guard_run(const struct guard *g, int fd) {
    static pid_t groups[GUARD_GROUPS];
    struct note n;
    become_guard(g, fd);
    while (read(STDIN_FILENO, &n, sizeof n) == sizeof n)
        take_note(groups, &n);
    end_all(groups, g->grace_ms);
    _exit(0);
}

/* ---- in its parent ---- */

int guard_start(struct guard *g, struct err *e) {
    int fd[2];
    g->pid = 0;
    g->fd = -1;
    if (pipe2(fd, O_CLOEXEC) < 0)
        return err_errno(e, errno, "cannot make a pipe");
    g->pid = fork();
    if (g->pid == 0)
        guard_run(g, fd[0]);
    close(fd[0]);
    g->fd = fd[1];
    fcntl(g->fd, F_SETFL, O_NONBLOCK);
    if (g->pid < 0) {
        int no = errno;
        guard_stop(g);
        return err_errno(e, no, "cannot start the guard");
    }
    return 0;
}

void guard_tell(struct guard *g, pid_t group, bool running) {
    struct note n = {group, running};
    ssize_t r = g->fd < 0 ? 0 : write(g->fd, &n, sizeof n);
    (void)r; /* one that is gone is told nothing; its parent learns of its end */
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
