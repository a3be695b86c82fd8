/* Messages of which only the newest count: where a client is behind, the oldest of them are left
 * out, always whole frames, and never one of which a part has been sent. Everything else stays in
 * its order. It is no progress: a client that takes nothing at all is cut (--stall) all the same.
 */
#include "fanout.h"

int skip_check(const struct options *o, struct err *e) {
    if (o->skip.n == 0 || o->skip_above < o->queue)
        return 0;
    return err_set(
        e, CAUSE_USAGE,
        "--skip-above %lld must be less than --queue %lld: who is that far behind is cut",
        (long long)o->skip_above, (long long)o->queue);
}

bool skip_allows(const struct fanout *f, const struct msg *m) {
    for (size_t i = 0; i < f->opt.skip.n; i++)
        if (msg_has_prefix(m, f->opt.skip.item[i]))
            return true;
    return false;
}

/* ---- frames ---- */

/* Bytes of a frame that we have encoded (RFC 6455, 5.2: never masked). */
static size_t frame_bytes(const uint8_t *p) {
    size_t n = p[1] & 0x7f;
    if (n < 126)
        return 2 + n;
    size_t head = n == 126 ? 4 : 10;
    n = 0;
    for (size_t i = 2; i < head; i++)
        n = n << 8 | p[i];
    return head + n;
}

static size_t frame_at(const struct seg *s, size_t off) {
    return frame_bytes(buf_data(&s->chunk->data) + off);
}

void skip_advance(struct seg *s) {
    if (!s->may_skip)
        return;
    for (size_t n; (n = frame_at(s, s->start)) <= s->off - s->start;)
        s->start += n;
}

/* ---- the queue ---- */

/* The frame that is half sent becomes a piece of its own, which stays. */
static void set_begun_apart(struct client *c) {
    struct outq *q = &c->out;
    struct seg *s = out_seg(q, 0);
    if (!s->may_skip || s->off == s->start)
        return;
    size_t next = s->start + frame_at(s, s->start), begun = next - s->off;
    if (begun == s->len) {
        s->may_skip = false;
        return;
    }
    struct seg first = {s->chunk, s->off, begun, s->start, false};
    s->off = s->start = next;
    s->len -= begun;
    s->chunk->refs++;
    out_make_room(c);
    q->head = (q->head - 1) & (q->cap - 1);
    q->count++;
    *out_seg(q, 0) = first;
}

/* Bytes by which less waits then; too_many: as many are to go. */
static size_t drop_frames(struct client *c, struct seg *s, size_t too_many) {
    size_t dropped = 0;
    while (s->len && dropped < too_many) {
        size_t n = frame_at(s, s->off);
        s->start = s->off += n;
        s->len -= n;
        c->out.bytes -= n;
        c->f->queued -= n;
        c->f->n.skipped++;
        dropped += n;
    }
    return s->len ? dropped : dropped + SEG_COST;
}

/* Where much waits that may not be left out, the walk through it comes once in a while only. */
void skip_oldest(struct client *c, size_t n) {
    struct outq *q = &c->out;
    size_t above = (size_t)c->f->opt.skip_above;
    if (q->count == 0 || out_waiting(q) + n <= (above > q->skip_next ? above : q->skip_next))
        return;
    set_begun_apart(c);
    size_t waits = out_waiting(q);
    uint32_t left = 0;
    for (uint32_t i = 0; i < q->count; i++) {
        struct seg s = *out_seg(q, i);
        if (s.may_skip && waits > above / 2)
            waits -= drop_frames(c, &s, waits - above / 2);
        if (s.len)
            *out_seg(q, left++) = s;
        else
            out_release(c->f, s.chunk);
    }
    q->count = left;
    q->skip_next = waits + above / 2;
}
