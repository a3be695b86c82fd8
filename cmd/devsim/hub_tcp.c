#include "hub_tcp.h"

#include <stdio.h>
#include <string.h>

enum { READ_BYTES = 64 << 10 };

static void on_gone(uv_handle_t *h) {
    struct hub_tcp *t = h->data;
    char why[sizeof t->why];
    memcpy(why, t->why, sizeof why);
    t->used = false;
    buf_clear(&t->out);
    buf_clear(&t->sending);
    t->on_closed(t->ctx, why);
}

void hub_tcp_close(struct hub_tcp *t, const char *why) {
    if (!t->used || t->closing)
        return;
    t->closing = true;
    t->open = false;
    snprintf(t->why, sizeof t->why, "%s", why);
    uv_close((uv_handle_t *)&t->tcp, on_gone);
}

static void broken(struct hub_tcp *t, int error) {
    hub_tcp_close(t, error == UV_EOF ? "connection closed" : uv_strerror(error));
}

/* ---- in ---- */

/* One buffer for all: it is used up before the next read. */
static void give_memory(uv_handle_t *h, size_t n, uv_buf_t *b) {
    static char mem[READ_BYTES];
    (void)h;
    (void)n;
    *b = uv_buf_init(mem, sizeof mem);
}

static void on_read(uv_stream_t *s, ssize_t n, const uv_buf_t *b) {
    struct hub_tcp *t = s->data;
    if (n < 0)
        broken(t, (int)n);
    else if (n > 0)
        t->on_bytes(t->ctx, (const uint8_t *)b->base, (size_t)n);
}

/* ---- out ---- */

static void write_on(struct hub_tcp *t);

static void on_written(uv_write_t *w, int status) {
    struct hub_tcp *t = w->data;
    t->writing = false;
    buf_clear(&t->sending);
    if (status < 0)
        broken(t, status);
    else
        write_on(t);
}

/* The bytes under way must not move, so they are kept apart from those that are added. */
static void write_on(struct hub_tcp *t) {
    if (t->writing || t->closing || buf_len(&t->out) == 0)
        return;
    struct buf empty = t->sending;
    t->sending = t->out;
    t->out = empty;
    uv_buf_t b = uv_buf_init((char *)buf_data(&t->sending), (unsigned)buf_len(&t->sending));
    int r = uv_write(&t->write, (uv_stream_t *)&t->tcp, &b, 1, on_written);
    t->writing = r == 0;
    if (r < 0)
        broken(t, r);
}

void hub_tcp_send(struct hub_tcp *t, const void *p, size_t n) {
    if (!t->open)
        return;
    uv_buf_t b = uv_buf_init((char *)p, (unsigned)n);
    int done = t->writing || buf_len(&t->out) ? 0 : uv_try_write((uv_stream_t *)&t->tcp, &b, 1);
    if (done < 0 && done != UV_EAGAIN) {
        broken(t, done);
        return;
    }
    size_t sent = done > 0 ? (size_t)done : 0;
    buf_put(&t->out, (const uint8_t *)p + sent, n - sent);
    write_on(t);
}

size_t hub_tcp_waiting(const struct hub_tcp *t) {
    return buf_len(&t->out) + buf_len(&t->sending);
}

/* ---- opening ---- */

static void on_connected(uv_connect_t *c, int status) {
    struct hub_tcp *t = c->data;
    if (t->closing)
        return;
    if (status < 0 || (status = uv_read_start((uv_stream_t *)&t->tcp, give_memory, on_read)) < 0) {
        broken(t, status);
        return;
    }
    uv_tcp_nodelay(&t->tcp, 1);
    t->open = true;
    t->on_open(t->ctx);
}

void hub_tcp_open(struct hub_tcp *t, uv_loop_t *loop, const struct sockaddr *addr) {
    uv_tcp_init(loop, &t->tcp);
    t->tcp.data = t->connect.data = t->write.data = t;
    t->used = true;
    t->open = t->closing = t->writing = false;
    int r = uv_tcp_connect(&t->connect, &t->tcp, addr, on_connected);
    if (r < 0)
        broken(t, r);
}

void hub_tcp_free(struct hub_tcp *t) {
    buf_free(&t->out);
    buf_free(&t->sending);
}
