#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "hevbcast.h"

/* ---- frames ---- */

struct frame *frame_new(void) {
    struct frame *f = mem_alloc(sizeof *f);
    f->refs = 1;
    return f;
}

void frame_release(struct frame *f) {
    if (!f || --f->refs)
        return;
    buf_free(&f->text);
    free(f);
}

/* Almost always nobody else holds it, and its storage is used again. */
struct frame *frame_fresh(struct frame **f) {
    if (!*f || (*f)->refs > 1) {
        frame_release(*f);
        *f = frame_new();
    }
    buf_clear(&(*f)->text);
    return *f;
}

/* ---- the queue of a client ---- */

static struct frame **slot(struct client *c, unsigned i) {
    return &c->queue[(c->head + i) % CLIENT_QUEUE];
}

static void take_first(struct client *c) {
    frame_release(*slot(c, 0));
    c->head = (c->head + 1) % CLIENT_QUEUE;
    c->count--;
    c->off = 0;
}

/* The oldest goes, but not one that is half on its way. */
static void drop_oldest(struct client *c) {
    unsigned victim = c->off ? 1 : 0;
    frame_release(*slot(c, victim));
    for (unsigned i = victim; i + 1 < c->count; i++)
        *slot(c, i) = *slot(c, i + 1);
    c->count--;
    c->dropped++;
    c->h->n.dropped++;
}

static void queue(struct client *c, struct frame *f, size_t off) {
    if (c->count == CLIENT_QUEUE)
        drop_oldest(c);
    else if (c->count == 0)
        c->progress_ms = hevbcast_ms(c->h);
    if (c->count == 0)
        c->off = off;
    f->refs++;
    *slot(c, c->count++) = f;
}

void out_free(struct client *c) {
    while (c->count)
        take_first(c);
}

/* ---- sending ---- */

/* Bytes taken; -1 when the connection is broken. */
static ssize_t send_some(struct client *c, const struct frame *f, size_t off) {
    size_t n = buf_len(&f->text) - off;
    ssize_t w = send(c->fd, buf_data(&f->text) + off, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    c->h->n.sends++;
    if (w < 0)
        return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0 : -1;
    c->bytes += (uint64_t)w;
    c->h->n.bytes += (uint64_t)w;
    c->progress_ms = w ? hevbcast_ms(c->h) : c->progress_ms;
    return w;
}

static void lost(struct client *c) {
    c->h->n.lost++;
    client_drop(c);
}

void out_send(struct client *c, struct frame *f) {
    ssize_t w = 0;
    c->texts++;
    if (c->count == 0)
        w = send_some(c, f, 0);
    if (w < 0) {
        lost(c);
        return;
    }
    if ((size_t)w == buf_len(&f->text))
        return;
    queue(c, f, (size_t)w);
    client_poll(c);
}

void out_writable(struct client *c) {
    while (c->count) {
        struct frame *f = *slot(c, 0);
        ssize_t w = send_some(c, f, c->off);
        if (w < 0) {
            lost(c);
            return;
        }
        c->off += (size_t)w;
        if (c->off < buf_len(&f->text))
            break;
        take_first(c);
    }
    client_poll(c);
}
