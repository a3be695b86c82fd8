#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "fanout.h"
#include "log.h"

enum {
    SEGS_MIN = 4,
    SEGS_KEEP = 64, /* room of an empty queue */
    IOV = 64
};

/* ---- chunks ---- */

void out_release(struct fanout *f, struct chunk *k) {
    if (--k->refs)
        return;
    memory_charge(f, k->charged, 0);
    buf_free(&k->data);
    free(k);
}

/* It is complete and somebody waits for it. */
static void chunk_keep(struct fanout *f, struct chunk *k) {
    struct buf *b = &k->data;
    b->mem = mem_resize(b->mem, b->end);
    b->cap = b->end;
    k->charged = b->cap + SEG_COST;
    memory_charge(f, 0, k->charged);
}

static struct buf *batch_buf(struct fanout *f) {
    if (!f->batch.chunk) {
        f->batch.chunk = mem_alloc(sizeof *f->batch.chunk);
        f->batch.chunk->refs = 1;
    }
    return &f->batch.chunk->data;
}

/* Whoever waits keeps the chunk; the next batch gets a new one then. */
static void batch_done(struct fanout *f) {
    struct batch *b = &f->batch;
    for (size_t i = 0; i < b->messages; i++)
        stage_latency(f->st, b->time[i]);
    b->messages = 0;
    if (!b->chunk)
        return;
    if (b->chunk->refs == 1) {
        buf_clear(&b->chunk->data);
    } else {
        chunk_keep(f, b->chunk);
        out_release(f, b->chunk);
        b->chunk = NULL;
    }
}

void out_batch_free(struct fanout *f) {
    if (f->batch.chunk)
        out_release(f, f->batch.chunk);
    f->batch.chunk = NULL;
}

void out_room(struct fanout *f) {
    if (f->batch.messages == BATCH_MESSAGES || buf_len(batch_buf(f)) >= BATCH_BYTES)
        out_flush(f);
}

struct span out_frame(struct fanout *f, enum wsframe_opcode op, const void *p, size_t n) {
    struct buf *b = batch_buf(f);
    size_t off = buf_len(b);
    wsframe_put(b, op, p, n);
    return (struct span){.off = off, .len = buf_len(b) - off};
}

struct span out_close_frame(struct fanout *f, unsigned code, const char *reason) {
    struct buf *b = batch_buf(f);
    size_t off = buf_len(b);
    wsframe_put_close(b, code, reason, strlen(reason));
    return (struct span){.off = off, .len = buf_len(b) - off};
}

struct span out_bytes(struct fanout *f, const void *p, size_t n) {
    struct buf *b = batch_buf(f);
    size_t off = buf_len(b);
    buf_put(b, p, n);
    return (struct span){.off = off, .len = n};
}

/* ---- the queue of one client ---- */

struct seg *out_seg(const struct outq *q, uint32_t i) {
    return &q->seg[(q->head + i) & (q->cap - 1)];
}

/* cap: 0, or a power of two with room for what is there. */
static void outq_resize(struct client *c, uint32_t cap) {
    struct outq *q = &c->out;
    struct seg *seg = cap ? mem_alloc(cap * sizeof *seg) : NULL;
    for (uint32_t i = 0; i < q->count; i++)
        seg[i] = *out_seg(q, i);
    memory_charge(c->f, q->cap * sizeof *seg, cap * sizeof *seg);
    free(q->seg);
    q->seg = seg;
    q->cap = cap;
    q->head = 0;
}

void out_make_room(struct client *c) {
    struct outq *q = &c->out;
    if (q->count == q->cap)
        outq_resize(c, q->cap ? q->cap * 2 : SEGS_MIN);
}

static void outq_push(struct client *c, struct chunk *k, struct span s) {
    struct outq *q = &c->out;
    struct seg *last = q->count ? out_seg(q, q->count - 1) : NULL;
    q->bytes += s.len;
    q->newest = s.len;
    if (last && last->chunk == k && last->off + last->len == s.off &&
        last->may_skip == s.may_skip) {
        last->len += s.len;
        return;
    }
    out_make_room(c);
    k->refs++;
    *out_seg(q, q->count++) = (struct seg){k, s.off, s.len, s.off, s.may_skip};
}

static void outq_consume(struct client *c, size_t n) {
    struct outq *q = &c->out;
    q->bytes -= n;
    q->skip_next = 0;
    while (n) {
        struct seg *s = out_seg(q, 0);
        size_t part = n < s->len ? n : s->len;
        s->off += part;
        s->len -= part;
        n -= part;
        if (s->len) {
            skip_advance(s);
            return;
        }
        out_release(c->f, s->chunk);
        q->head = (q->head + 1) & (q->cap - 1);
        q->count--;
    }
}

static int outq_iov(const struct outq *q, struct iovec *iov, size_t *bytes) {
    int n = 0;
    for (*bytes = 0; n < IOV && (uint32_t)n < q->count; n++) {
        const struct seg *s = out_seg(q, (uint32_t)n);
        iov[n] = (struct iovec){buf_data(&s->chunk->data) + s->off, s->len};
        *bytes += s->len;
    }
    return n;
}

/* With it goes what has been sent of its first frame: where frames begin must be known. */
static struct seg seg_copy(struct chunk *to, const struct seg *s) {
    size_t begun = s->may_skip ? s->off - s->start : 0, at = buf_len(&to->data);
    buf_put(&to->data, buf_data(&s->chunk->data) + s->off - begun, begun + s->len);
    return (struct seg){to, at + begun, s->len, at, s->may_skip};
}

/* A slow client must not keep 64 kB of other clients' frames alive for 30 bytes of its own: what it
 * waits for is copied when it is less than half of the chunk. */
static void outq_unshare(struct client *c, struct chunk *k) {
    struct outq *q = &c->out;
    size_t own = 0;
    uint32_t first = q->count;
    while (first && out_seg(q, first - 1)->chunk == k)
        own += out_seg(q, --first)->len;
    if (own == 0 || own * 2 >= buf_len(&k->data))
        return;
    struct chunk *copy = mem_alloc(sizeof *copy);
    uint32_t left = first;
    for (uint32_t i = first; i < q->count; i++) {
        struct seg s = seg_copy(copy, out_seg(q, i));
        struct seg *last = left > first ? out_seg(q, left - 1) : NULL;
        out_release(c->f, k);
        if (last && last->may_skip == s.may_skip && s.off == s.start) {
            last->len += s.len;
        } else {
            *out_seg(q, left++) = s;
            copy->refs++;
        }
    }
    chunk_keep(c->f, copy);
    q->count = left;
}

void out_free(struct client *c) {
    c->f->queued -= c->out.bytes;
    if (c->out.bytes)
        outq_consume(c, c->out.bytes);
    outq_resize(c, 0);
}

size_t out_share(const struct client *c) {
    size_t n = c->out.cap * sizeof(struct seg);
    for (uint32_t i = 0; i < c->out.count; i++) {
        const struct chunk *k = out_seg(&c->out, i)->chunk;
        n += k->charged / k->refs;
    }
    return n;
}

void out_queue(struct client *c, struct span s) {
    struct fanout *f = c->f;
    if (c->out.count == 0)
        c->progress_ms = fanout_ms(f);
    if (s.may_skip && c->full)
        skip_oldest(c, s.len);
    outq_push(c, f->batch.chunk, s);
    f->queued += s.len;
    if (c->dirty)
        return;
    c->dirty = true;
    f->dirty[f->dirty_count++] = c;
}

/* ---- sending ---- */

static ssize_t send_some(struct client *c, size_t *wanted) {
    struct iovec iov[IOV];
    int n = outq_iov(&c->out, iov, wanted);
    struct msghdr m = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    c->f->n.sends++;
    if (n == 1)
        return send(c->fd, iov->iov_base, iov->iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
    return sendmsg(c->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Write until the queue is empty or the socket is full. False when the connection is broken. */
static bool write_queue(struct client *c) {
    size_t wanted;
    ssize_t w = 0;
    c->full = false;
    while (c->out.count && !c->full) {
        w = send_some(c, &wanted);
        if (w < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (w > 0) {
            outq_consume(c, (size_t)w);
            c->f->queued -= (size_t)w;
            c->f->n.bytes += (size_t)w;
            c->progress_ms = fanout_ms(c->f);
        }
        c->full = w < 0 ? errno == EAGAIN : (size_t)w < wanted;
    }
    return true;
}

/* The bound holds for what piles up: one message larger than it may still be sent to a client that
 * has nothing else waiting. */
static bool is_over(const struct client *c) {
    const struct outq *q = &c->out;
    return out_waiting(q) > (size_t)c->f->opt.queue && q->bytes > q->newest;
}

static void cut_slow(struct client *c) {
    static struct log_limit slow;
    char reason[96];
    snprintf(reason, sizeof reason, "too slow: %zu bytes waited for it", c->out.bytes);
    log_limited(&slow, LOG_WARN, "client %llu (%s) cut: %s (--queue %lld)",
                (unsigned long long)c->id, c->peer, reason, (long long)c->f->opt.queue);
    c->f->n.cut_slow++;
    client_drop(c, reason, CAUSE_LIMIT);
}

/* A socket known to be full is not tried again before it is writable. */
static void flush_client(struct client *c, bool writable) {
    if ((!c->full || writable) && !write_queue(c)) {
        client_drop(c, "connection lost", CAUSE_UNPLUGGED);
        return;
    }
    if (c->out.count == 0 && c->out.cap > SEGS_KEEP)
        outq_resize(c, 0);
    if (c->out.count == 0)
        client_written(c);
    else if (c->state == CLIENT_OPEN && is_over(c))
        cut_slow(c);
    if (c->state != CLIENT_GONE)
        client_poll(c);
}

static void flush_dirty(struct fanout *f) {
    for (size_t i = 0; i < f->dirty_count; i++) {
        struct client *c = f->dirty[i];
        c->dirty = false;
        if (c->state == CLIENT_GONE)
            continue;
        flush_client(c, false);
        if (c->state != CLIENT_GONE && c->out.count)
            outq_unshare(c, f->batch.chunk);
    }
    f->dirty_count = 0;
    batch_done(f);
}

/* Whoever must go for want of memory may be sent a close frame: that is the second time. */
void out_flush(struct fanout *f) {
    flush_dirty(f);
    memory_check(f);
    if (f->dirty_count)
        flush_dirty(f);
    f->st->stats.queue = f->queued;
}

void out_writable(struct client *c) {
    flush_client(c, true);
    c->f->st->stats.queue = c->f->queued;
}
