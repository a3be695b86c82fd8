#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tally.h"

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

/* ---- in the child ---- */

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

/* The step that failed, with errno. */
static char child_become(const struct spawn *s, pid_t parent) {
    setpgid(0, 0);
    default_signals();
    dup2(s->in, STDIN_FILENO);
    dup2(s->out, STDOUT_FILENO);
    dup2(s->err, STDERR_FILENO);
    close_on_exec_from(STDERR_FILENO + 1);
    if (s->tally >= 0)
        fcntl(s->tally, F_SETFD, 0);
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
    execve(s->program, s->argv, s->env);
    return 'x';
}

static void child_run(const struct spawn *s, pid_t parent, int failure_fd) {
    char step = child_become(s, parent);
    struct spawn_failure f = {.error = errno, .step = step};
    ssize_t r = write(failure_fd, &f, sizeof f);
    (void)r;
    _exit(EXIT_NOT_RUN);
}

pid_t spawn_start(const struct spawn *s, int *failure_fd) {
    int fd[2];
    pid_t parent = getpid();
    if (pipe2(fd, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    sigset_t all, before;
    sigfillset(&all);
    /* A signal to the child before it has let go of our handlers would look like one to us: they
     * write into a pipe that both have. */
    pthread_sigmask(SIG_BLOCK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        child_run(s, parent, fd[1]);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(fd[1]);
    if (pid < 0) {
        close(fd[0]);
        return -1;
    }
    setpgid(pid, pid); /* whoever of the two comes first */
    *failure_fd = fd[0];
    return pid;
}

void spawn_user(struct spawn *s, const struct plan_keys *k) {
    if (!k->user)
        return;
    s->as_user = true;
    s->uid = k->uid;
    s->gid = k->gid;
    s->group_count = sizeof s->groups / sizeof *s->groups;
    if (getgrouplist(k->user, k->gid, s->groups, &s->group_count) < 0)
        s->group_count = sizeof s->groups / sizeof *s->groups;
}

/* ---- environment ---- */

/* Meant for the supervisor alone. */
static bool is_ours(const char *entry) {
    static const char *const names[] = {"TAPLINE_STAGE=",  "TAPLINE_RUN=",   TALLY_ENV "=",
                                        "TAPLINE_STDIN=",  "NOTIFY_SOCKET=", "WATCHDOG_PID=",
                                        "WATCHDOG_USEC=",  "LISTEN_PID=",    "LISTEN_FDS=",
                                        "LISTEN_FDNAMES=", "JOURNAL_STREAM="};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(entry, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* A later NAME=VALUE replaces an earlier one. */
static void put(char **env, size_t *n, const char *name, const char *value) {
    char *entry = mem_alloc(strlen(name) + strlen(value) + 2);
    size_t len = (size_t)sprintf(entry, "%s=", name);
    strcpy(entry + len, value);
    for (size_t i = 0; i < *n; i++)
        if (strncmp(env[i], entry, len) == 0) {
            free(env[i]);
            env[i] = entry;
            return;
        }
    env[(*n)++] = entry;
}

/* What a stage starts itself (sh -c "...") finds tapline's programs, too. */
static void put_path(char **env, size_t *n) {
    const char *old = getenv("PATH");
    struct buf b = {0};
    buf_printf(&b, "%s:%s", program_dir(), old && *old ? old : "/usr/local/bin:/usr/bin:/bin");
    buf_putc(&b, 0);
    put(env, n, "PATH", (char *)buf_data(&b));
    buf_free(&b);
}

static void put_user(char **env, size_t *n, const char *user) {
    const struct passwd *u = user ? getpwnam(user) : NULL;
    if (!u)
        return;
    put(env, n, "HOME", u->pw_dir);
    put(env, n, "USER", u->pw_name);
    put(env, n, "LOGNAME", u->pw_name);
}

static void put_tally(char **env, size_t *n, int fd) {
    char number[16];
    snprintf(number, sizeof number, "%d", fd);
    if (fd >= 0)
        put(env, n, TALLY_ENV, number);
}

char **spawn_env(const struct plan_stage *stage, const char *run_dir, int tally) {
    const struct conf_section *c = stage->section->conf;
    size_t n = 0, room = c->n + 9;
    for (char **e = environ; *e; e++)
        room++;
    char **env = mem_alloc(room * sizeof *env);
    for (char **e = environ; *e; e++)
        if (!is_ours(*e))
            env[n++] = mem_strdup(*e);
    put_path(env, &n);
    put_user(env, &n, stage->section->keys.user);
    put(env, &n, "TAPLINE_RUN", run_dir);
    put(env, &n, "TAPLINE_STAGE", stage->name);
    put_tally(env, &n, tally);
    /* The stages of a section follow one another in the plan. */
    if (stage->place > 0 && !stage[-1].own)
        put(env, &n, "TAPLINE_STDIN", "any");
    for (size_t i = 0; i < c->n; i++)
        if (strncmp(c->entry[i].key, "env.", 4) == 0)
            put(env, &n, c->entry[i].key + 4, c->entry[i].value);
    return env;
}

void spawn_env_free(char **env) {
    for (size_t i = 0; env && env[i]; i++)
        free(env[i]);
    free(env);
}
