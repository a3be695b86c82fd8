#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spawn.h"
#include "supervisor.h"

/* sd_notify(3): one datagram of NAME=VALUE lines to the socket named in the environment; @ in front
 * is the abstract namespace. */
void notify_systemd(const char *text) {
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof to.sun_path || !strchr("/@", path[0]))
        return;
    memcpy(to.sun_path, path, n);
    if (path[0] == '@')
        to.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ssize_t r = sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&to,
                       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)r;
    if (fd >= 0)
        close(fd);
}

/* Half of what systemd allows between two signs of life. */
uint64_t notify_watchdog_ns(void) {
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
        return 0;
    return strtoull(usec, NULL, 10) * 1000u / 2;
}

/* ---- detaching ---- */

/* What the detached process writes to its standard error goes through; a NUL byte means that it is
 * ready. When it ends before that, so do we, with its status. */
static void relay(int fd, pid_t pid) {
    char bytes[4096];
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0 || (n < 0 && errno == EINTR);) {
        const char *ready = n > 0 ? memchr(bytes, 0, (size_t)n) : NULL;
        ssize_t w =
            n > 0 ? write(STDERR_FILENO, bytes, ready ? (size_t)(ready - bytes) : (size_t)n) : 0;
        (void)w;
        if (ready)
            _exit(0);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int detach_begin(struct err *e) {
    int fd[2], null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || pipe2(fd, O_CLOEXEC) < 0)
        return err_errno(e, errno, "cannot detach");
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        return err_errno(e, errno, "cannot detach");
    if (pid > 0) {
        close(fd[1]);
        relay(fd[0], pid);
    }
    setsid();
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    dup2(fd[1], STDERR_FILENO);
    spawn_close_from(STDERR_FILENO + 1); /* nor what the caller happened to have open */
    return 0;
}

void detach_ready(void) {
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    ssize_t r = write(STDERR_FILENO, "", 1);
    (void)r;
    if (null < 0)
        return;
    dup2(null, STDERR_FILENO);
    close(null);
}
