#include "hev_link.h"

#include <string.h>

enum { SEQUENCE = 128, MS = 1000000 };

static const struct {
    uint8_t address;
    const char *name;
} classes[HEV_CLASSES] = {[HEV_CLASS_ALARM] = {HEV_ADDR_ALARM, "alarm"},
                          [HEV_CLASS_CMD] = {HEV_ADDR_CMD, "cmd"},
                          [HEV_CLASS_DATA] = {HEV_ADDR_DATA, "data"}};

uint8_t hev_class_address(enum hev_class class) {
    return classes[class].address;
}

const char *hev_class_name(enum hev_class class) {
    return classes[class].name;
}

int hev_address_class(uint8_t address) {
    for (int c = 0; c < HEV_CLASSES; c++)
        if (classes[c].address == (address & HEV_ADDR_MASK))
            return c;
    return -1;
}

void hev_link_init(struct hev_link *l, const struct hev_link_config *config,
                   const struct hev_link_hooks *hooks, void *ctx) {
    memset(l, 0, sizeof *l);
    l->config = config ? *config : (struct hev_link_config){.tries = HEV_TRIES};
    for (int c = 0; c < HEV_CLASSES; c++)
        if (l->config.resend_ns[c] == 0)
            l->config.resend_ns[c] = (uint64_t)HEV_RESEND_MS * MS;
    if (l->config.depth == 0 || l->config.depth > HEV_QUEUE_MAX)
        l->config.depth = HEV_QUEUE_MAX;
    l->hooks = *hooks;
    l->ctx = ctx;
    l->last_ns = -1;
}

/* A clock that stepped back makes the wait for an answer start again instead of last for ever. */
static void clock_set(struct hev_link *l, uint64_t now_ns) {
    l->now_ns = now_ns;
    if (now_ns < l->sent_ns)
        l->sent_ns = now_ns;
    if (now_ns < l->first_ns)
        l->first_ns = now_ns;
}

static void frame_write(struct hev_link *l, const struct hev_frame *f) {
    uint8_t wire[HEV_WIRE_MAX];
    size_t n = hev_frame_encode(wire, f);
    if (l->hooks.write)
        l->hooks.write(l->ctx, wire, n);
}

/* ---- sending ---- */

static void current_write(struct hev_link *l) {
    struct hev_frame f = {.address = hev_class_address(l->current_class),
                          .kind = HEV_INFO,
                          .ns = l->ns,
                          .data = l->current.data,
                          .len = l->current.len};
    l->tries++;
    l->sent_ns = l->now_ns;
    frame_write(l, &f);
}

static bool queue_take(struct hev_queue *q, struct hev_outgoing *out) {
    if (q->count == 0)
        return false;
    *out = q->ring[q->head];
    q->head = (q->head + 1) % HEV_QUEUE_MAX;
    q->count--;
    return true;
}

static bool is_over(const struct hev_link *l, const struct hev_outgoing *o) {
    if (o->until_ns == 0)
        return false;
    return l->hooks.is_over ? l->hooks.is_over(l->ctx, o->until_ns) : l->now_ns >= o->until_ns;
}

/* The oldest of this class whose time is not over; those before it are told as not sent. */
static bool next_take(struct hev_link *l, enum hev_class class) {
    while (queue_take(&l->queue[class], &l->current)) {
        if (!is_over(l, &l->current))
            return true;
        l->expired++;
        if (l->hooks.sent)
            l->hooks.sent(l->ctx,
                          &(struct hev_sent){.id = l->current.id, .class = class, .expired = true});
    }
    return false;
}

/* The most urgent payload that waits goes on the line, when that is free. */
static void next_start(struct hev_link *l) {
    for (int c = 0; c < HEV_CLASSES && !l->busy; c++) {
        if (!next_take(l, c))
            continue;
        l->busy = true;
        l->current_class = c;
        l->tries = 0;
        l->first_ns = l->now_ns;
        l->sent++;
        current_write(l);
    }
}

/* The line is free before the hook is called, which may want to send more. */
static void current_end(struct hev_link *l, bool ok) {
    struct hev_sent s = {.id = l->current.id,
                         .class = l->current_class,
                         .ok = ok,
                         .expired = !ok && is_over(l, &l->current),
                         .tries = l->tries,
                         .ns = l->ns,
                         .waited_ns = l->now_ns - l->first_ns};
    l->busy = false;
    l->unanswered += !ok;
    l->expired += s.expired;
    l->ns = (l->ns + 1) % SEQUENCE;
    if (l->hooks.sent)
        l->hooks.sent(l->ctx, &s);
}

/* The oldest that waits will not be sent. */
static void oldest_drop(struct hev_link *l, enum hev_class class, uint64_t *counter) {
    struct hev_outgoing o;
    if (!queue_take(&l->queue[class], &o))
        return;
    (*counter)++;
    if (l->hooks.sent)
        l->hooks.sent(l->ctx, &(struct hev_sent){.id = o.id, .class = class});
}

static void queue_put(struct hev_queue *q, uint64_t id, const uint8_t *p, size_t n,
                      uint64_t until_ns) {
    struct hev_outgoing *o = &q->ring[(q->head + q->count++) % HEV_QUEUE_MAX];
    o->id = id;
    o->until_ns = until_ns;
    o->len = (uint8_t)n;
    memcpy(o->data, p, n);
}

bool hev_link_send_until(struct hev_link *l, enum hev_class class, uint64_t id, const uint8_t *p,
                         size_t n, uint64_t now_ns, uint64_t until_ns) {
    if (n == 0 || n > HEV_PAYLOAD_MAX)
        return false;
    clock_set(l, now_ns);
    while (l->queue[class].count >= l->config.depth)
        oldest_drop(l, class, &l->dropped);
    queue_put(&l->queue[class], id, p, n, until_ns);
    next_start(l);
    return true;
}

bool hev_link_send(struct hev_link *l, enum hev_class class, uint64_t id, const uint8_t *p,
                   size_t n, uint64_t now_ns) {
    return hev_link_send_until(l, class, id, p, n, now_ns, 0);
}

uint64_t hev_link_deadline(const struct hev_link *l) {
    return l->busy ? l->sent_ns + l->config.resend_ns[l->current_class] : 0;
}

void hev_link_timeout(struct hev_link *l, uint64_t now_ns) {
    clock_set(l, now_ns);
    if (!l->busy || now_ns < hev_link_deadline(l))
        return;
    if ((l->config.tries && l->tries >= l->config.tries) || is_over(l, &l->current)) {
        current_end(l, false);
        next_start(l);
        return;
    }
    l->resent++;
    current_write(l);
}

static bool answers_current(const struct hev_link *l, const struct hev_frame *f) {
    return l->busy && f->kind == HEV_ACK &&
           hev_address_class(f->address) == (int)l->current_class &&
           f->nr == (l->ns + 1) % SEQUENCE;
}

/* The newest receivers refuse an N(S) that they do not expect and say which one they do, so the
 * next try takes that. Other refusals have N(S)+1 and change nothing. */
static void refusal_take(struct hev_link *l, const struct hev_frame *f) {
    if (l->busy && hev_address_class(f->address) == (int)l->current_class &&
        f->nr != (l->ns + 1) % SEQUENCE)
        l->ns = f->nr;
}

static void answer_take(struct hev_link *l, const struct hev_frame *f) {
    bool ours = answers_current(l, f);
    l->acks += f->kind == HEV_ACK;
    l->nacks += f->kind == HEV_NACK;
    l->stray_acks += f->kind == HEV_ACK && !ours;
    if (l->hooks.answer)
        l->hooks.answer(l->ctx, f);
    if (f->kind == HEV_NACK)
        refusal_take(l, f);
    if (!ours)
        return;
    current_end(l, true);
    next_start(l);
}

/* ---- receiving ---- */

/* N(S) comes round after 128 frames, and an A0 alarm has nothing that tells two of them apart: what
 * is half a round old is no repetition. */
static bool is_repeat(const struct hev_link *l, const struct hev_last *last,
                      const struct hev_frame *f) {
    return last->any && last->ns == f->ns && last->len == f->len &&
           l->taken - last->number < SEQUENCE / 2 && memcmp(last->data, f->data, f->len) == 0;
}

static void last_keep(struct hev_link *l, struct hev_last *last, const struct hev_frame *f) {
    l->taken++;
    last->any = true;
    last->ns = f->ns;
    last->len = (uint8_t)f->len;
    last->number = l->taken;
    memcpy(last->data, f->data, f->len);
}

static void gap_count(struct hev_link *l, const struct hev_frame *f) {
    l->gaps += l->last_ns >= 0 && f->ns != (l->last_ns + 1) % SEQUENCE;
    l->last_ns = f->ns;
}

static void acknowledge(struct hev_link *l, const struct hev_frame *f) {
    struct hev_frame ack = {.address = f->address, .kind = HEV_ACK, .nr = (f->ns + 1) % SEQUENCE};
    frame_write(l, &ack);
}

static void info_take(struct hev_link *l, const struct hev_frame *f) {
    int class = hev_address_class(f->address);
    if (class < 0)
        l->unaddressed++;
    else
        acknowledge(l, f);
    if (class >= 0 && is_repeat(l, &l->last[class], f)) {
        l->repeats++;
        return;
    }
    if (class >= 0)
        last_keep(l, &l->last[class], f);
    gap_count(l, f);
    if (l->hooks.deliver)
        l->hooks.deliver(l->ctx, f);
}

static void frame_take(void *ctx, const struct hev_frame *f) {
    struct hev_link *l = ctx;
    if (f->kind == HEV_INFO)
        info_take(l, f);
    else
        answer_take(l, f);
}

void hev_link_feed(struct hev_link *l, const uint8_t *p, size_t n, uint64_t now_ns) {
    clock_set(l, now_ns);
    hev_receiver_feed(&l->receiver, p, n, now_ns, frame_take, l);
}

/* ---- the line as a whole ---- */

/* What the hook sends meanwhile is left alone. */
static void queue_abandon(struct hev_link *l, enum hev_class class) {
    for (unsigned n = l->queue[class].count; n > 0; n--)
        oldest_drop(l, class, &l->unanswered);
}

void hev_link_reset(struct hev_link *l) {
    hev_receiver_reset(&l->receiver);
    l->last_ns = -1;
    for (int c = 0; c < HEV_CLASSES; c++)
        l->last[c].any = false;
    for (int c = 0; c < HEV_CLASSES; c++)
        queue_abandon(l, c);
    if (l->busy)
        current_end(l, false);
    next_start(l);
}

size_t hev_link_pending(const struct hev_link *l) {
    size_t n = l->busy;
    for (int c = 0; c < HEV_CLASSES; c++)
        n += l->queue[c].count;
    return n;
}
