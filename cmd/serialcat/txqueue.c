#include "txqueue.h"

#include <string.h>

struct unit {
    size_t len; /* bytes of it still in the queue */
    void *owner;
};

static size_t unit_count(const struct txqueue *q) {
    return buf_len(&q->units) / sizeof(struct unit);
}

static struct unit *unit_at(const struct txqueue *q, size_t i) {
    return (struct unit *)(void *)buf_data(&q->units) + i;
}

static void gone(const struct txqueue *q, const struct unit *u, bool written) {
    if (u->owner && q->on_gone)
        q->on_gone(q->ctx, u->owner, written);
}

/* False when there is nothing that may be thrown away. */
static bool drop_oldest(struct txqueue *q) {
    size_t first = q->started ? 1 : 0;
    if (unit_count(q) <= first)
        return false;
    struct unit u = *unit_at(q, first);
    size_t begun = first ? unit_at(q, 0)->len : 0;
    /* The begun unit moves up over the one that goes. */
    memmove(buf_data(&q->bytes) + u.len, buf_data(&q->bytes), begun);
    buf_consume(&q->bytes, u.len);
    if (first)
        *unit_at(q, 1) = *unit_at(q, 0);
    buf_consume(&q->units, sizeof u);
    q->dropped++;
    gone(q, &u, false);
    return true;
}

static void put_unit(struct txqueue *q, const void *p, size_t n, void *owner, bool started) {
    struct unit u = {n, owner};
    while (!started && n <= q->limit && txqueue_len(q) + n > q->limit && drop_oldest(q))
        ;
    /* What has begun must be finished, even when it does not fit: the caller bounds its size. */
    if (!started && txqueue_len(q) + n > q->limit) {
        q->dropped++;
        gone(q, &u, false);
        return;
    }
    if (started)
        q->started = true;
    buf_put(&q->bytes, p, n);
    buf_put(&q->units, &u, sizeof u);
}

static bool is_text(const uint8_t *p, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
            return false;
    return true;
}

void txqueue_put(struct txqueue *q, const void *data, size_t n, void *owner, bool started) {
    const uint8_t *p = data;
    bool lines = !owner && is_text(p, n);
    while (n) {
        const uint8_t *lf = lines ? memchr(p, '\n', n) : NULL;
        size_t len = lf ? (size_t)(lf - p) + 1 : n;
        put_unit(q, p, len, owner, started);
        started = false;
        p += len;
        n -= len;
    }
}

void txqueue_took(struct txqueue *q, size_t n) {
    buf_consume(&q->bytes, n);
    while (n && unit_count(q)) {
        struct unit *u = unit_at(q, 0), done = *u;
        q->started = n < u->len;
        if (q->started) {
            u->len -= n;
            return;
        }
        n -= u->len;
        buf_consume(&q->units, sizeof done);
        gone(q, &done, true);
    }
}

void txqueue_clear(struct txqueue *q) {
    q->started = false;
    while (drop_oldest(q))
        ;
}

void txqueue_free(struct txqueue *q) {
    txqueue_clear(q);
    buf_free(&q->bytes);
    buf_free(&q->units);
}
