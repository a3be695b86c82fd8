#include "tcp.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { READ_BYTES = 16 << 10 };

/* 0 = connected; else the errno value. */
static int wait_connected(int fd, int64_t timeout_ms) {
    struct pollfd p = {.fd = fd, .events = POLLOUT};
    int no = 0;
    socklen_t n = sizeof no;
    int r = poll(&p, 1, (int)timeout_ms);
    if (r == 0)
        return ETIMEDOUT;
    if (r < 0 || getsockopt(fd, SOL_SOCKET, SO_ERROR, &no, &n) < 0)
        return errno;
    return no;
}

static int try_one(struct tcp *t, const struct addrinfo *a) {
    t->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (t->fd < 0)
        return errno;
    int no = connect(t->fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
    if (no == EINPROGRESS)
        no = wait_connected(t->fd, t->timeout_ms);
    if (no)
        tcp_close(t);
    return no;
}

int tcp_open(struct tcp *t, const char *host, int port, int64_t timeout_ms, const char *server,
             struct err *e) {
    char text[8];
    struct addrinfo *list, hints = {.ai_socktype = SOCK_STREAM};
    *t = (struct tcp){.fd = -1, .timeout_ms = timeout_ms};
    snprintf(t->where, sizeof t->where, "%.255s port %d", host, port);
    snprintf(text, sizeof text, "%d", port);
    int r = getaddrinfo(host, text, &hints, &list), no = 0;
    if (r != 0)
        return err_set(e, CAUSE_ABSENT, "cannot connect to %s: %s", t->where, gai_strerror(r));
    for (const struct addrinfo *a = list; a && t->fd < 0; a = a->ai_next)
        no = try_one(t, a);
    freeaddrinfo(list);
    if (t->fd >= 0)
        return 0;
    char cure[64] = "";
    if (no == ECONNREFUSED)
        snprintf(cure, sizeof cure, " (is %.32s running there?)", server);
    return err_set(e, cause_of_errno(no), "cannot connect to %s: %s%s", t->where, strerror(no),
                   cure);
}

void tcp_close(struct tcp *t) {
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    buf_free(&t->in);
}

int tcp_send(struct tcp *t, const void *p, size_t n, struct err *e) {
    ssize_t sent = send(t->fd, p, n, MSG_NOSIGNAL);
    if (sent == (ssize_t)n)
        return 0;
    return err_errno(e, sent < 0 ? errno : EPIPE, "cannot send to %s", t->where);
}

int tcp_receive(struct tcp *t, struct err *e) {
    struct pollfd p = {.fd = t->fd, .events = POLLIN};
    if (poll(&p, 1, (int)t->timeout_ms) == 0)
        return err_set(e, CAUSE_TIMEOUT, "%s: nothing within %lld ms", t->where,
                       (long long)t->timeout_ms);
    ssize_t n = recv(t->fd, buf_reserve(&t->in, READ_BYTES), READ_BYTES, 0);
    if (n > 0)
        buf_added(&t->in, (size_t)n);
    if (n == 0)
        return err_set(e, CAUSE_UNPLUGGED, "%s: the server has closed the connection", t->where);
    return n > 0 || errno == EAGAIN || errno == EINTR ? 0 : err_errno(e, errno, "%s", t->where);
}
