#include "sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

enum { RETRY_MS = 50 };

/* A descriptor shared with others must stay blocking, so poll goes before each write: a pipe that
 * is writable takes PIPE_BUF bytes without waiting. */
static bool writable(struct sink *s, int timeout_ms) {
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    return poll(&p, 1, timeout_ms) == 1;
}

static void flush(struct sink *s, int timeout_ms) {
    while (buf_len(&s->queue) && writable(s, timeout_ms)) {
        size_t n = buf_len(&s->queue);
        ssize_t w = write(s->fd, buf_data(&s->queue), n > PIPE_BUF ? PIPE_BUF : n);
        if (w < 0 && (errno == EINTR || errno == EAGAIN))
            return;
        /* Nobody reads any more, or the disk is full: the ring still has the lines. */
        buf_consume(&s->queue, w < 0 ? n : (size_t)w);
    }
}

static void on_retry(uv_timer_t *t);

static void arm(struct sink *s) {
    if (buf_len(&s->queue) && !uv_is_active((uv_handle_t *)&s->retry))
        uv_timer_start(&s->retry, on_retry, RETRY_MS, 0);
}

static void on_retry(uv_timer_t *t) {
    struct sink *s = t->data;
    flush(s, 0);
    arm(s);
}

void sink_open(struct sink *s, uv_loop_t *loop, int fd) {
    s->fd = fd;
    uv_timer_init(loop, &s->retry);
    s->retry.data = s;
    uv_unref((uv_handle_t *)&s->retry);
}

static void say_lost(struct sink *s) {
    if (s->lost && buf_len(&s->queue) < SINK_QUEUE / 2) {
        buf_printf(&s->queue, "(%llu log lines were not taken in time and are not shown)\n",
                   (unsigned long long)s->lost);
        s->lost = 0;
    }
}

void sink_write(struct sink *s, const char *line, size_t n) {
    if (s->fd < 0)
        return;
    say_lost(s);
    if (buf_len(&s->queue) + n > SINK_QUEUE) {
        s->lost++;
        return;
    }
    buf_put(&s->queue, line, n);
    flush(s, 0);
    arm(s);
}

void sink_close(struct sink *s, int timeout_ms) {
    if (s->fd >= 0)
        flush(s, timeout_ms);
    s->fd = -1;
    if (s->retry.data && !uv_is_closing((uv_handle_t *)&s->retry))
        uv_close((uv_handle_t *)&s->retry, NULL);
}

void sink_free(struct sink *s) {
    buf_free(&s->queue);
}
