#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "msg.h"

enum { READ_BYTES = 256 << 10, PIPE_BYTES = 1 << 20 };

/* O_NONBLOCK belongs to the open file description, which the shell and our neighbours may share; a
 * pipe or terminal can be opened anew through /proc, which gives a description of our own. */
static int own_descriptor(int fd, int flags, const struct stat *st) {
    char path[64];
    if (!S_ISFIFO(st->st_mode) && !isatty(fd))
        return fd;
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    int own = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (own < 0)
        return fd;
    /* A named pipe opened after its last writer has gone never reports the end to poll. */
    struct pollfd p = {.fd = fd};
    if (flags == O_RDONLY && poll(&p, 1, 0) == 1 && (p.revents & POLLHUP)) {
        close(own);
        return fd;
    }
    return own;
}

static bool can_poll(const struct stat *st) {
    return S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode) || S_ISCHR(st->st_mode);
}

static int prepare(int fd, bool own_copy, int flags, struct stat *st, struct err *e) {
    if (fstat(fd, st) < 0)
        return err_errno(e, errno, "cannot use file descriptor %d", fd);
    if (own_copy)
        fd = own_descriptor(fd, flags, st);
    if (S_ISFIFO(st->st_mode))
        fcntl(fd, F_SETPIPE_SZ, PIPE_BYTES);
    if (S_ISFIFO(st->st_mode) || S_ISSOCK(st->st_mode))
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

/* An open that failed closes what it opened itself. */
static int cannot_watch(int fd, int own, int r, struct err *e) {
    if (own != fd)
        close(own);
    return err_set(e, CAUSE_FAILED, "cannot watch file descriptor %d: %s", fd, uv_strerror(r));
}

int fifo_open(const char *path, struct err *e) {
    if (mkfifo(path, 0600) < 0 && errno != EEXIST)
        return err_errno(e, errno, "cannot make the named pipe %s", path);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    if (fd < 0)
        return err_errno(e, errno, "cannot open the named pipe %s", path);
    if (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode))
        return fd;
    close(fd);
    return err_set(e, CAUSE_FAILED, "%s is no named pipe (remove it)", path);
}

/* ---- in ---- */

static void in_stop(struct instream *s) {
    if (s->regular)
        uv_idle_stop(&s->idle);
    else
        uv_poll_stop(&s->poll);
}

static void in_finish(struct instream *s, int error) {
    struct err e = {0};
    s->ended = true;
    in_stop(s);
    if (error)
        err_errno(&e, error, "cannot read");
    if (s->on_end)
        s->on_end(s->ctx, &e);
}

static bool in_running(const struct instream *s) {
    return !s->ended && !s->paused && !uv_is_closing(&s->handle);
}

/* False when there was nothing to read. */
static bool in_read(struct instream *s) {
    ssize_t n = read(s->fd, buf_reserve(&s->buf, READ_BYTES), READ_BYTES);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (n <= 0) {
        in_finish(s, n < 0 ? errno : 0);
        return true;
    }
    buf_added(&s->buf, (size_t)n);
    s->on_bytes(s->ctx, clock_wall_ns());
    return true;
}

static void in_start(struct instream *s);

static void in_poll(uv_poll_t *h, int status, int events) {
    struct instream *s = h->data;
    (void)events;
    bool any = in_read(s);
    /* An error condition: libuv has stopped the watcher already, but there may be more to read. */
    if (status < 0 && in_running(s)) {
        if (any)
            in_start(s);
        else
            in_finish(s, EIO);
    }
}

static void in_idle(uv_idle_t *h) {
    in_read(h->data);
}

static void in_start(struct instream *s) {
    if (s->regular)
        uv_idle_start(&s->idle, in_idle);
    else
        uv_poll_start(&s->poll, UV_READABLE, in_poll);
}

int instream_open(struct instream *s, uv_loop_t *loop, int fd, bool own_copy, struct err *e) {
    struct stat st;
    int own = prepare(fd, own_copy, O_RDONLY, &st, e);
    if (own < 0)
        return -1;
    s->fd = own;
    s->regular = !can_poll(&st);
    int r = 0;
    if (!s->regular)
        r = uv_poll_init(loop, &s->poll, own);
    if (s->regular || r == UV_EPERM) { /* /dev/null and the like cannot be polled */
        s->regular = true;
        r = uv_idle_init(loop, &s->idle);
    }
    if (r < 0) {
        s->fd = -1;
        return cannot_watch(fd, own, r, e);
    }
    s->handle.data = s;
    in_start(s);
    return 0;
}

void instream_pause(struct instream *s, bool paused) {
    if (s->fd < 0 || s->ended || s->paused == paused || uv_is_closing(&s->handle))
        return;
    s->paused = paused;
    if (paused)
        in_stop(s);
    else
        in_start(s);
}

static void in_closed(uv_handle_t *h) {
    struct instream *s = h->data;
    close(s->fd);
    s->fd = -1;
    buf_free(&s->buf);
}

void instream_close(struct instream *s) {
    if (s->fd < 0 || !s->handle.data || uv_is_closing(&s->handle))
        return;
    in_stop(s);
    uv_close(&s->handle, in_closed);
}

/* ---- out ---- */

static void set_blocked(struct outstream *s, bool blocked) {
    if (s->blocked == blocked)
        return;
    s->blocked = blocked;
    if (s->on_blocked)
        s->on_blocked(s->ctx, blocked);
}

/* The owner hears of the end first: it must not take in more only because this queue is gone. */
static void out_broken(struct outstream *s, int error) {
    s->broken = true;
    buf_clear(&s->queue);
    if (s->polling)
        uv_poll_stop(&s->poll);
    s->polling = false;
    if (s->on_broken)
        s->on_broken(s->ctx, error == ECONNRESET ? EPIPE : error);
    set_blocked(s, false);
}

/* Write as much as the descriptor takes; the number of bytes, 0 when it is full, -1 when broken. */
static ssize_t out_some2(struct outstream *s, const struct iovec *v, int count) {
    ssize_t w;
    while ((w = writev(s->fd, v, count)) < 0 && (errno == EINTR || (errno == EAGAIN && !s->polls)))
        if (errno == EAGAIN)
            poll(&(struct pollfd){.fd = s->fd, .events = POLLOUT}, 1, 1000);
    if (w < 0 && errno == EAGAIN)
        return 0;
    if (w < 0)
        out_broken(s, errno);
    return w;
}

static ssize_t out_some(struct outstream *s, const void *p, size_t n) {
    return out_some2(s, &(struct iovec){(void *)p, n}, 1);
}

static void flush_now(struct outstream *s);

static void out_writable(uv_poll_t *h, int status, int events) {
    struct outstream *s = h->data;
    (void)events;
    if (status < 0)
        out_broken(s, EPIPE);
    else
        flush_now(s);
}

static void out_watch(struct outstream *s, bool on) {
    if (s->polling == on || !s->polls)
        return;
    s->polling = on;
    if (on)
        uv_poll_start(&s->poll, UV_WRITABLE, out_writable);
    else
        uv_poll_stop(&s->poll);
}

int outstream_open(struct outstream *s, uv_loop_t *loop, int fd, bool own_copy, struct err *e) {
    struct stat st;
    int own = prepare(fd, own_copy, O_WRONLY, &st, e);
    if (own < 0)
        return -1;
    s->fd = own;
    if (!s->limit)
        s->limit = PIPE_BYTES;
    /* A terminal or file is written to directly; only pipes and sockets can push back. */
    s->polls = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    int r = s->polls ? uv_poll_init(loop, &s->poll, own) : 0;
    if (r < 0) {
        s->fd = -1;
        return cannot_watch(fd, own, r, e);
    }
    s->poll.data = s;
    return 0;
}

static void update_blocked(struct outstream *s) {
    size_t left = buf_len(&s->queue);
    if (left == 0)
        set_blocked(s, false);
    else if (left > s->limit)
        set_blocked(s, true);
}

static void flush_now(struct outstream *s) {
    while (buf_len(&s->queue) && !s->broken) {
        ssize_t w = out_some(s, buf_data(&s->queue), buf_len(&s->queue));
        if (w <= 0)
            break;
        buf_consume(&s->queue, (size_t)w);
    }
    if (s->broken)
        return;
    out_watch(s, buf_len(&s->queue) > 0);
    update_blocked(s);
}

void outstream_flush(struct outstream *s) {
    if (s->polling)
        update_blocked(s);
    else
        flush_now(s);
}

void outstream_write2(struct outstream *s, const void *p, size_t n, const void *q, size_t m) {
    ssize_t w = 0;
    if (buf_len(&s->queue) && !s->polling)
        flush_now(s);
    if (!buf_len(&s->queue) && !s->broken)
        w = out_some2(s, (struct iovec[]){{(void *)p, n}, {(void *)q, m}}, 2);
    if (w < 0 || s->broken || (size_t)w == n + m)
        return;
    size_t of_p = (size_t)w < n ? (size_t)w : n, of_q = (size_t)w - of_p;
    buf_put(&s->queue, (const uint8_t *)p + of_p, n - of_p);
    buf_put(&s->queue, (const uint8_t *)q + of_q, m - of_q);
    outstream_flush(s);
}

void outstream_write(struct outstream *s, const void *p, size_t n) {
    outstream_write2(s, p, n, NULL, 0);
}

static void out_closed(uv_handle_t *h) {
    struct outstream *s = h->data;
    close(s->fd);
    s->fd = -1;
}

/* Write what is queued while the reader takes it, at most until the time is up. */
static void out_drain(struct outstream *s, int timeout_ms) {
    uint64_t end = clock_mono_ns() + (uint64_t)timeout_ms * 1000000u;
    flush_now(s);
    while (buf_len(&s->queue) && !s->broken && clock_mono_ns() < end) {
        struct pollfd p = {.fd = s->fd, .events = POLLOUT};
        poll(&p, 1, 10);
        flush_now(s);
    }
}

size_t outstream_close(struct outstream *s, int timeout_ms) {
    if (s->fd < 0 || (s->polls && uv_is_closing((uv_handle_t *)&s->poll)))
        return 0;
    s->on_blocked = NULL; /* the owner is being taken down */
    s->on_broken = NULL;
    out_drain(s, timeout_ms);
    size_t left = buf_len(&s->queue);
    buf_free(&s->queue);
    s->broken = true;
    if (s->polls) {
        uv_close((uv_handle_t *)&s->poll, out_closed);
    } else {
        close(s->fd);
        s->fd = -1;
    }
    return left;
}
