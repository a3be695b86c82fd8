#include "guard.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"

enum { STEP_MS = 10 };

struct note {
    pid_t group;
    bool running;
};

static int notes = -1;
static pid_t guard;

/* ---- in the guard ---- */

static void take_note(pid_t *groups, const struct note *n) {
    for (int i = 0; i < GUARD_GROUPS; i++) {
        if (n->running ? groups[i] == 0 : groups[i] == n->group) {
            groups[i] = n->running ? n->group : 0;
            return;
        }
    }
}

static bool signal_all(const pid_t *groups, int number) {
    bool any = false;
    for (int i = 0; i < GUARD_GROUPS; i++)
        any |= groups[i] > 1 && kill(-groups[i], number) == 0;
    return any;
}

/* Leave the session and the files, so that nobody waits for an end of them because of us, and a
 * signal to the stage's process group spares us. */
static void become_guard(int fd) {
    prctl(PR_SET_NAME, "camctl-guard");
    setsid();
    for (int s = 1; s < NSIG; s++)
        if (s != SIGKILL && s != SIGSTOP)
            signal(s, SIG_IGN);
    dup2(fd, STDIN_FILENO);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDOUT_FILENO);
    dup2(null, STDERR_FILENO);
    if (close_range(STDERR_FILENO + 1, ~0u, 0) < 0)
        for (int i = STDERR_FILENO + 1; i < 1024; i++)
            close(i);
}

static void guard_run(int fd) {
    static pid_t groups[GUARD_GROUPS];
    struct note n;
    become_guard(fd);
    while (read(STDIN_FILENO, &n, sizeof n) == sizeof n)
        take_note(groups, &n);
    signal_all(groups, SIGTERM);
    for (int ms = 0; ms < GUARD_GRACE_MS && signal_all(groups, 0); ms += STEP_MS)
        poll(NULL, 0, STEP_MS);
    signal_all(groups, SIGKILL);
    _exit(0);
}

/* ---- in camctl ---- */

void guard_start(void) {
    int fd[2];
    if (pipe2(fd, O_CLOEXEC) < 0)
        return;
    pid_t pid = fork();
    if (pid == 0)
        guard_run((close(fd[1]), fd[0]));
    close(fd[0]);
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    if (pid < 0)
        close(fd[1]);
    else
        notes = fd[1];
    guard = pid;
}

void guard_reap(void) {
    if (guard <= 0 || waitpid(guard, NULL, WNOHANG) != guard)
        return;
    guard = 0;
    log_warn("the guard was ended: after kill -9 of this process, what camera scripts have started "
             "may go on (restart camctl)");
}

void guard_tell(pid_t group, bool running) {
    struct note n = {group, running};
    ssize_t r = notes < 0 ? 0 : write(notes, &n, sizeof n);
    (void)r; /* without a guard there is still the parent-death signal */
}
