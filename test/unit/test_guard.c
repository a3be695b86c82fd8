#include "guard.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

static struct guard new_guard(int grace_ms) {
    return (struct guard){.name = "test-guard", .grace_ms = grace_ms, .lock_fd = -1, .fd = -1};
}

/* A process with a group of its own that holds fd and does nothing; deaf: not even end. */
static pid_t start_idle(int fd, bool deaf) {
    pid_t pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        alarm(60); /* if nobody ends it */
        if (deaf)
            signal(SIGTERM, SIG_IGN);
        for (int i = 0; i < 100; i++)
            if (i != fd)
                close(i);
        for (;;)
            pause();
    }
    setpgid(pid, pid);
    return pid;
}

/* A parent with a guard and two idle processes, of which the guard is told of one, and which it
 * holds; it is killed then. Once its processes are there, all of this is a child of ours. */
static int killed_parent(pid_t *other, bool deaf) {
    int fd[2];
    struct err e;
    struct guard g = new_guard(50);
    CHECK_INT(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    *other = start_idle(-1, false);
    pid_t parent = fork();
    if (parent == 0) {
        close(fd[0]);
        guard_start(&g, &e);
        pid_t pid = start_idle(fd[1], deaf);
        guard_tell(&g, *other, true);
        guard_tell(&g, pid, true);
        guard_tell(&g, *other, false);
        kill(getpid(), SIGKILL);
    }
    close(fd[1]);
    CHECK_INT(waitpid(parent, NULL, 0), parent);
    return fd[0];
}

static void ends_what_is_left(bool deaf) {
    pid_t other;
    char c;
    int fd = killed_parent(&other, deaf);
    CHECK_INT(read(fd, &c, 1), 0); /* the process that held the other end is gone */
    CHECK_INT(kill(other, 0), 0);
    kill(other, SIGKILL);
    close(fd);
    while (wait(NULL) > 0) /* that, what was held, and the guard */
        ;
    CHECK_INT(errno, ECHILD);
}

TEST(a_killed_parent_leaves_nothing_that_it_has_told_of) {
    ends_what_is_left(false);
}

TEST(what_is_deaf_to_sigterm_is_killed) {
    ends_what_is_left(true);
}

TEST(it_keeps_a_descriptor_until_it_ends_and_no_other) {
    int lock[2], other[2];
    struct err e;
    char c;
    struct guard g = new_guard(50);
    CHECK_INT(pipe2(lock, O_CLOEXEC), 0);
    CHECK_INT(pipe2(other, O_CLOEXEC), 0);
    g.lock_fd = lock[1];
    CHECK_INT(guard_start(&g, &e), 0);
    close(lock[1]);
    close(other[1]);
    CHECK_INT(read(other[0], &c, 1), 0);
    struct pollfd p = {.fd = lock[0], .events = POLLIN};
    CHECK_INT(poll(&p, 1, 0), 0);
    guard_stop(&g);
    CHECK_INT(read(lock[0], &c, 1), 0);
    CHECK_INT(g.pid, 0);
    CHECK_INT(g.fd, -1);
    guard_tell(&g, 12345, true); /* nobody hears it */
    guard_stop(&g);
}
