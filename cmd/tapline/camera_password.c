/* Where a password comes from. Never from the command line, which everybody on the machine sees. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "camera_client.h"
#include "secret_env.h"

enum { LINE_BYTES = 1024 };

/* Blanks around it are none of it, as for the server (lib/secret.h). */
static int put_trimmed(const char *line, size_t n, const char *name, struct buf *out,
                       struct err *e) {
    static const char blanks[] = " \t\r";
    for (; n && memchr(blanks, *line, sizeof blanks - 1); n--)
        line++;
    while (n && memchr(blanks, line[n - 1], sizeof blanks - 1))
        n--;
    buf_put(out, line, n);
    return n ? 1 : err_set(e, CAUSE_USAGE, "%s: its first line is empty", name);
}

/* The first line of what fd gives. */
static int read_line(int fd, const char *name, struct buf *out, struct err *e) {
    char line[LINE_BYTES];
    size_t n = 0;
    ssize_t r = 1;
    while (n < sizeof line && !memchr(line, '\n', n) &&
           (r = read(fd, line + n, sizeof line - n)) > 0)
        n += (size_t)r;
    if (r < 0)
        return err_errno(e, errno, "cannot read %s", name);
    const char *end = memchr(line, '\n', n);
    n = end ? (size_t)(end - line) : n;
    int got = put_trimmed(line, n, name, out, e);
    explicit_bzero(line, sizeof line);
    return got;
}

static int from_file(const char *file, struct buf *out, struct err *e) {
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_errno(e, errno, "cannot open %s", file);
    int r = read_line(fd, file, out, e);
    close(fd);
    return r;
}

/* Only so that a signal ends the reading, and not us before the terminal shows again what is typed.
 */
static void on_signal(int number) {
    (void)number;
}

static const int signals[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGTSTP};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* They stay blocked until wait_line lets them in. */
static void catch_signals(struct sigaction before[SIGNALS], sigset_t *mask) {
    sigset_t ours;
    sigemptyset(&ours);
    for (int i = 0; i < SIGNALS; i++)
        sigaddset(&ours, signals[i]);
    sigprocmask(SIG_BLOCK, &ours, mask);
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &(struct sigaction){.sa_handler = on_signal}, &before[i]);
}

/* One that has come meanwhile does now what it would have done without us. */
static void let_signals(const struct sigaction before[SIGNALS], const sigset_t *mask) {
    for (int i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &before[i], NULL);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

/* A signal that came just before a plain read() would not end it. */
static int wait_line(int fd, const sigset_t *mask, struct err *e) {
    if (ppoll(&(struct pollfd){fd, POLLIN, 0}, 1, NULL, mask) < 0)
        return err_errno(e, errno, "cannot read /dev/tty");
    return 0;
}

static int from_terminal(struct buf *out, struct err *e) {
    struct sigaction before[SIGNALS];
    sigset_t mask;
    struct termios shown, hidden;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &shown) < 0) {
        if (fd >= 0)
            close(fd);
        return err_set(e, CAUSE_USAGE,
                       "no password: give AUTH_PASSWORD in the environment or --password-file");
    }
    catch_signals(before, &mask);
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSAFLUSH, &hidden);
    dprintf(fd, "Password: ");
    int r = wait_line(fd, &mask, e);
    if (r == 0)
        r = read_line(fd, "/dev/tty", out, e);
    tcsetattr(fd, TCSAFLUSH, &shown);
    let_signals(before, &mask);
    dprintf(fd, "\n");
    close(fd);
    return r;
}

static int from_somewhere(const char *file, bool ask, struct buf *out, struct err *e) {
    const char *env = getenv("AUTH_PASSWORD");
    if (file)
        return from_file(file, out, e);
    if (env && *env)
        return put_trimmed(env, strcspn(env, "\n"), "AUTH_PASSWORD", out, e);
    return ask ? from_terminal(out, e) : 0;
}

int camera_password(const char *file, bool ask, struct buf *out, struct err *e) {
    int r = from_somewhere(file, ask, out, e);
    secret_env_forget_all();
    return r;
}
