#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { EXIT_NOT_RUN = 127, DESCRIPTORS = 4096 };

extern char **environ;

/* close_range is younger (Linux 5.9) than some kernels and sandboxes we run on. */
void spawn_close_from(int first) {
    if (close_range((unsigned)first, ~0u, 0) == 0)
        return;
    for (int fd = first; fd < DESCRIPTORS; fd++)
        close(fd);
}

static void close_on_exec_from(int first) {
    if (close_range((unsigned)first, ~0u, CLOSE_RANGE_CLOEXEC) == 0)
        return;
    for (int fd = first; fd < DESCRIPTORS; fd++)
        fcntl(fd, F_SETFD, FD_CLOEXEC);
}

/* ---- in the child: only async-signal-safe calls, because NNG's threads are running ---- */

static void default_signals(void) {
    /* By system call, for all zeros is the default action: signal() refuses the two signals below
     * SIGRTMIN, which an ancestor may have left ignored. */
    static const char zeros[64];
    sigset_t none;
    for (int i = 1; i < NSIG; i++)
        syscall(SYS_rt_sigaction, i, zeros, NULL, (NSIG - 1) / 8);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int become_user(const struct spawn *s) {
    if (!s->as_user)
        return 0;
    if (geteuid() == 0 && setgroups((size_t)s->group_count, s->groups) < 0)
        return -1;
    return setgid(s->gid) < 0 || setuid(s->uid) < 0 ? -1 : 0;
}

/* Where `as` was closed, open() may give that very number, and dup2 would leave a mark of closing.
 */
static void take(int fd, int as) {
    dup2(fd < 0 ? open("/dev/null", O_RDWR) : fd, as);
}

/* The step that failed, with errno. */
static char child_become(const struct spawn *s, pid_t parent) {
    setpgid(0, 0);
    default_signals();
    take(s->in, STDIN_FILENO);
    take(s->out, STDOUT_FILENO);
    take(s->err, STDERR_FILENO);
    close_on_exec_from(STDERR_FILENO + 1);
    if (s->keep >= 0)
        fcntl(s->keep, F_SETFD, 0);
    if (s->shared_group)
        umask(0007);
    if (s->cpus && sched_setaffinity(0, sizeof *s->cpus, s->cpus) < 0)
        return 'c';
    if (become_user(s) < 0)
        return 'u';
    if (s->dir && chdir(s->dir) < 0)
        return 'd';
    /* After the change of user, which would reset it. Until here the parent may have gone. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_NOT_RUN);
    execve(s->program, s->argv, s->env ? s->env : environ);
    return 'x';
}

static void child_run(const struct spawn *s, pid_t parent, int failure_fd) {
    static const char note[] = "cannot be run: it is no program for this machine\n";
    char step = child_become(s, parent);
    struct spawn_failure f = {.error = errno, .step = step};
    ssize_t r = failure_fd < 0 ? write(STDERR_FILENO, note, sizeof note - 1)
                               : write(failure_fd, &f, sizeof f);
    (void)r;
    _exit(EXIT_NOT_RUN);
}

/* ---- in the parent ---- */

static pid_t fork_child(const struct spawn *s, int failure_fd) {
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    /* A signal to the child before it has let go of our handlers would look like one to us: they
     * write into a pipe that both have. */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_run(s, parent, failure_fd);
    int no = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid > 0)
        setpgid(pid, pid); /* whoever of the two comes first */
    errno = no;
    return pid;
}

pid_t spawn_start(const struct spawn *s, int *failure_fd) {
    int fd[2] = {-1, -1};
    if (!failure_fd)
        return fork_child(s, -1);
    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    pid_t pid = fork_child(s, fd[1]);
    int no = errno;
    close(fd[1]);
    if (pid < 0)
        close(fd[0]);
    else
        *failure_fd = fd[0];
    errno = no;
    return pid;
}

void spawn_user(struct spawn *s, const char *user, uid_t uid, gid_t gid) {
    s->as_user = true;
    s->uid = uid;
    s->gid = gid;
    s->group_count = sizeof s->groups / sizeof *s->groups;
    if (getgrouplist(user, gid, s->groups, &s->group_count) < 0)
        s->group_count = sizeof s->groups / sizeof *s->groups;
}
