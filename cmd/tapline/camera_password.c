/* Where a password comes from. Never from the command line, which everybody on the machine sees. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "camera_client.h"

enum { LINE_BYTES = 1024 };

/* The first line of what fd gives, without its end. */
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
    n -= n && line[n - 1] == '\r';
    buf_put(out, line, n);
    explicit_bzero(line, sizeof line);
    return n ? 1 : err_set(e, CAUSE_USAGE, "%s: its first line is empty", name);
}

static int from_file(const char *file, struct buf *out, struct err *e) {
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return err_errno(e, errno, "cannot open %s", file);
    int r = read_line(fd, file, out, e);
    close(fd);
    return r;
}

static int from_terminal(struct buf *out, struct err *e) {
    struct termios shown, hidden;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &shown) < 0) {
        if (fd >= 0)
            close(fd);
        return err_set(e, CAUSE_USAGE,
                       "no password: give AUTH_PASSWORD in the environment or --password-file");
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(fd, TCSAFLUSH, &hidden);
    dprintf(fd, "Password: ");
    int r = read_line(fd, "/dev/tty", out, e);
    tcsetattr(fd, TCSAFLUSH, &shown);
    dprintf(fd, "\n");
    close(fd);
    return r;
}

int camera_password(const char *file, bool ask, struct buf *out, struct err *e) {
    const char *env = getenv("AUTH_PASSWORD");
    if (file)
        return from_file(file, out, e);
    if (env && *env) {
        buf_puts(out, env);
        return 1;
    }
    return ask ? from_terminal(out, e) : 0;
}
