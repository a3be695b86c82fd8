#include "wires.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supervisor.h"

static const uint64_t STEADY_NS = 1500000000, /* no message is under way for so long */
    HEARD_NS = 500000000; /* ... and the receiver was heard of since, so it takes what comes */

/* ---- what is on the way ---- */

static uint64_t readable_bytes(int fd) {
    int n = 0;
    return ioctl(fd, FIONREAD, &n) == 0 && n > 0 ? (uint64_t)n : 0;
}

/* In the pipe itself, which neither end counts. */
static uint64_t pipe_bytes(const struct wire *w) {
    if (w->link->kind == ENDPOINT_STDIO)
        return w->to->in >= 0 ? readable_bytes(w->to->in) : 0;
    if (w->link->kind != ENDPOINT_FIFO)
        return 0;
    int fd = open(w->link->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
    uint64_t n = fd >= 0 ? readable_bytes(fd) : 0;
    if (fd >= 0)
        close(fd);
    return n;
}

/* Whether what was on its way then has come: the receiver was well since (over NNG nothing comes to
 * one that is gone). */
static bool has_come(const struct wire *w, uint64_t since_ns) {
    if (w->to->pid == 0)
        return w->link->kind == ENDPOINT_NNG;
    return w->to->silent_since_ns >= since_ns + HEARD_NS;
}

/* ---- what has become of it ---- */

static uint64_t least(uint64_t a, uint64_t b) {
    return a < b ? a : b;
}

/* Holes that the sender's own drops do not explain; never more than is missing. */
static uint64_t holes(const struct tally_in *in, uint64_t dropped, int64_t missing) {
    uint64_t n = in->lost > dropped ? in->lost - dropped : 0;
    return missing < 0 ? 0 : least(n, (uint64_t)missing);
}

/* More has come, or was told by a hole, than there was room for in the sums: what was taken for
 * gone is not, or is the same. */
static uint64_t take_back(uint64_t *from, int64_t *pending) {
    uint64_t n = *pending >= 0 ? 0 : (uint64_t) - *pending;
    n = least(n, *from);
    *from -= n;
    *pending += (int64_t)n;
    return n;
}

static void mend(struct wire *w, int64_t *pending, uint64_t new_holes) {
    uint64_t fault = w->unaccounted > 0 ? (uint64_t)w->unaccounted : 0;
    w->unaccounted -= (int64_t)take_back(&fault, pending);
    uint64_t n = take_back(&w->crashed, pending);
    w->told += least(n, new_holes);
    take_back(&w->base, pending);
}

/* Nothing is on the way, so what is missing will not come: because somebody was gone, or had not
 * joined yet; anything else is a fault of ours. */
static void settle(struct wire *w, int64_t pending) {
    uint64_t lives = w->from->ledger.lives + w->to->ledger.lives;
    uint64_t deaths = w->from->ledger.deaths + w->to->ledger.deaths;
    if (deaths != w->deaths || w->to->pid == 0)
        w->crashed += (uint64_t)pending;
    else if (lives != w->lives && w->link->kind == ENDPOINT_NNG)
        w->base += (uint64_t)pending;
    else
        w->unaccounted += pending;
    w->lives = lives;
    w->deaths = deaths;
}

/* The same difference for a while, also while messages flow: then it is no message on its way.
 * Bytes that a receiver has read and not taken are the torn end of a message, unless it pauses. */
static bool is_steady(struct wire *w, int64_t pending, const struct tally_in *in,
                      const struct tally_out *out) {
    uint64_t now = clock_mono_ns(), missing = in->lost + out->dropped;
    bool under_way = w->now.queued_bytes > in->waiting || in->paused;
    if (pending != w->pending || missing != w->missing || under_way)
        w->steady_ns = now;
    w->pending = pending;
    w->missing = missing;
    return now - w->steady_ns >= STEADY_NS && has_come(w, w->steady_ns);
}

static void balance(struct wire *w, const struct tally_in *in, const struct tally_out *out) {
    struct wire_counts *c = &w->now;
    bool nng = w->link->kind == ENDPOINT_NNG;
    int64_t missing = (int64_t)(out->sent - out->dropped - in->received - in->skipped) -
                      (int64_t)(nng ? in->before : 0);
    uint64_t seen = holes(in, out->dropped, missing);
    int64_t pending = missing - (int64_t)(seen + w->base + w->crashed) - w->unaccounted;
    mend(w, &pending, in->lost - in->crashed - w->plain);
    w->plain = in->lost - in->crashed;
    if (is_steady(w, pending, in, out) && pending >= 0) {
        settle(w, pending);
        pending = w->pending = 0;
    }
    c->sent = out->sent - w->base - (nng ? in->before : 0);
    c->received = in->received + in->skipped;
    c->dropped = out->dropped;
    c->lost = seen + w->crashed;
    c->crashed = w->crashed + least(in->crashed + w->told, seen);
    c->queued = pending > 0 ? (uint64_t)pending : 0;
    c->unaccounted = w->unaccounted + (pending < 0 ? pending : 0);
}

/* The receiver first: what comes while we read is then on the way, not too much. */
static void look(struct wire *w) {
    struct tally_in in;
    struct tally_out out;
    struct wire_counts *c = &w->now;
    *c = (struct wire_counts){0};
    c->to_known = ledger_in(&w->to->ledger, w->link->in, &in);
    c->queued_bytes = in.waiting + pipe_bytes(w);
    c->from_known = ledger_out(&w->from->ledger, w->link->out, &out);
    c->queued_bytes += out.queue;
    c->known = c->to_known && c->from_known && !w->link->narrowed;
    if (c->known) {
        balance(w, &in, &out);
        return;
    }
    c->sent = out.sent;
    c->received = in.received + in.skipped;
    c->lost = in.lost;
    c->crashed = in.crashed;
    c->dropped = out.dropped;
}

void wires_look(struct supervisor *s) {
    for (size_t i = 0; i < s->wires.n; i++)
        look(&s->wires.wire[i]);
}

void wires_open(struct supervisor *s) {
    s->wires.n = s->plan.links;
    s->wires.wire = mem_alloc((s->wires.n + 1) * sizeof *s->wires.wire);
    for (size_t i = 0; i < s->wires.n; i++) {
        const struct plan_link *l = &s->plan.link[i];
        s->wires.wire[i] = (struct wire){.link = l,
                                         .from = &s->child[l->from - s->plan.stage],
                                         .to = &s->child[l->to - s->plan.stage],
                                         .steady_ns = clock_mono_ns()};
    }
}

void wires_close(struct supervisor *s) {
    free(s->wires.wire);
    s->wires = (struct wires){0};
}
