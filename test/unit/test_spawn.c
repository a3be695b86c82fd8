#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

enum { TEXT = 4096 };

/* sh -c LINE, whose standard output comes back; its wait status. */
static int run(const char *line, struct spawn s, char out[TEXT]) {
    char *argv[] = {"sh", "-c", (char *)line, NULL};
    int fd[2], failure, status, not_run = 0;
    size_t n = 0;
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    s.program = "/bin/sh";
    s.argv = argv;
    s.in = s.err = -1;
    s.out = fd[1];
    pid_t pid = spawn_start(&s, &failure);
    CHECK(pid > 0);
    close(fd[1]);
    for (ssize_t r; (r = read(fd[0], out + n, TEXT - 1 - n)) > 0;)
        n += (size_t)r;
    out[n] = 0;
    CHECK_INT(waitpid(pid, &status, 0), pid);
    struct spawn_failure f;
    not_run = read(failure, &f, sizeof f) > 0;
    CHECK_INT(not_run, 0);
    close(fd[0]);
    close(failure);
    return status;
}

TEST(it_leads_its_group_and_has_nothing_but_its_three_descriptors) {
    char out[TEXT], want[80];
    /* Far up: the shell opens some itself while it looks. */
    int open_fd = fcntl(STDIN_FILENO, F_DUPFD, 50), kept = fcntl(STDIN_FILENO, F_DUPFD, 60);
    CHECK_INT(run("echo $$ $(ps -o pgid= -p $$); for i in 0 2; do readlink /proc/$$/fd/$i; done; "
                  "for i in /proc/$$/fd/*; do printf '%s ' ${i##*/}; done",
                  (struct spawn){.keep = kept}, out),
              0);
    int pid = atoi(out);
    int n = snprintf(want, sizeof want, "%d %d\n/dev/null\n/dev/null\n", pid, pid);
    CHECK_MEM(out, (size_t)n, want, (size_t)n);
    snprintf(want, sizeof want, " %d ", kept);
    CHECK(strstr(out + n, want));
    snprintf(want, sizeof want, " %d ", open_fd);
    CHECK(!strstr(out + n, want));
}

TEST(signals_are_as_if_nobody_had_touched_them) {
    char out[TEXT];
    sigset_t some;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigprocmask(SIG_BLOCK, &some, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    CHECK_INT(run("grep -E 'Sig(Blk|Ign)' /proc/self/status | cut -f 2 | sort -u",
                  (struct spawn){.keep = -1}, out),
              0);
    CHECK_STR(out, "0000000000000000\n");
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now); /* and ours as they were */
    CHECK(sigismember(&now, SIGTERM) && !sigismember(&now, SIGCHLD));
}

TEST(environment_and_directory_are_what_is_asked_for_or_ours) {
    char out[TEXT], *env[] = {"COLOUR=blue", NULL};
    setenv("COLOUR", "red", 1);
    CHECK_INT(run("echo $COLOUR; pwd; exit 3", (struct spawn){.keep = -1, .dir = "/"}, out),
              3 << 8);
    CHECK_STR(out, "red\n/\n");
    CHECK_INT(run("echo $COLOUR", (struct spawn){.keep = -1, .env = env}, out), 0);
    CHECK_STR(out, "blue\n");
}

static int fail_with(struct spawn s, struct spawn_failure *f) {
    char *argv[] = {"x", NULL};
    int failure, status;
    s.argv = argv;
    s.in = s.out = s.err = s.keep = -1;
    pid_t pid = spawn_start(&s, &failure);
    CHECK(pid > 0);
    waitpid(pid, &status, 0);
    CHECK_INT(read(failure, f, sizeof *f), sizeof *f);
    close(failure);
    return status;
}

TEST(what_cannot_be_run_says_which_step_failed) {
    struct spawn_failure f;
    CHECK_INT(fail_with((struct spawn){.program = "/bin/sh", .dir = "/nowhere"}, &f), 127 << 8);
    CHECK_INT(f.step, 'd');
    CHECK_INT(f.error, ENOENT);
    CHECK_INT(fail_with((struct spawn){.program = "/"}, &f), 127 << 8);
    CHECK_INT(f.step, 'x');
    CHECK_INT(f.error, EACCES);
}

TEST(without_a_pipe_for_it_that_is_said_on_standard_error) {
    char *argv[] = {"x", NULL}, said[200];
    int fd[2], status;
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    struct spawn s = {
        .program = "/etc/passwd", .argv = argv, .in = -1, .out = -1, .err = fd[1], .keep = -1};
    pid_t pid = spawn_start(&s, NULL);
    close(fd[1]);
    ssize_t n = read(fd[0], said, sizeof said - 1);
    CHECK(n > 0);
    said[n] = 0;
    CHECK_STR(said, "cannot be run: it is no program for this machine\n");
    waitpid(pid, &status, 0);
    CHECK_INT(WEXITSTATUS(status), 127);
}

/* A second process between, which is killed; what it has started ends by itself. */
TEST(it_ends_with_its_parent) {
    char *argv[] = {"sleep", "100", NULL}, c;
    int fd[2];
    CHECK_INT(pipe2(fd, O_CLOEXEC), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct spawn s = {
            .program = "/bin/sleep", .argv = argv, .in = -1, .out = fd[1], .err = -1, .keep = -1};
        spawn_start(&s, NULL);
        kill(getpid(), SIGKILL);
    }
    close(fd[1]);
    CHECK_INT(read(fd[0], &c, 1), 0); /* its output has ended, so it has */
    waitpid(parent, NULL, 0);
}
