#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_NOT_RUN = 127, DESCRIPTORS = 4096 };

extern char **environ;

/* ---- in the child: only async-signal-safe calls, because NNG's threads are running ---- */

/* By system call, for all zeros is the default action; signal() refuses two of the signals. */
static void default_signals(void) {
    static const char zeros[64];
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, zeros, NULL, (NSIG - 1) / 8);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void close_on_exec_from(int first) {
    if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    for (int fd = first; fd < DESCRIPTORS; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void take(int fd, int as, int null) {
    dup2(fd < 0 ? null : fd, as);
}

static void child_run(const char *path, char *const *argv, const int fd[3], pid_t parent) {
    static const char note[] = "cannot be run: it is no program for this machine\n";
    setpgid(0, 0);
    default_signals();
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 3; i++)
        take(fd[i], i, null);
    close_on_exec_from(STDERR_FILENO + 1);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() == parent)
        execve(path, argv, environ);
    ssize_t r = write(STDERR_FILENO, note, sizeof note - 1);
    (void)r;
    _exit(EXIT_NOT_RUN);
}

/* ---- in the parent ---- */

pid_t spawn_start(const char *path, char *const *argv, int in, int out, int err) {
    const int fd[3] = {in, out, err};
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    /* A signal to the child before it has let go of our handlers would look like one to us: they
     * write into a pipe that both have. */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_run(path, argv, fd, parent);
    int no = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0)
        setpgid(pid, pid); /* whoever of the two comes first */
    errno = no;
    return pid;
}
