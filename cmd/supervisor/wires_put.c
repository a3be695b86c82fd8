#include <stdio.h>

#include "wires.h"

/* ---- each ---- */

static void put_known(struct buf *b, const char *key, bool known, uint64_t n) {
    if (known)
        mp_kv_uint(b, key, n);
    else
        mp_kv_nil(b, key);
}

static void put_wire(struct buf *b, const struct wire *w) {
    const struct wire_counts *c = &w->now;
    mp_put_map(b, 11);
    mp_kv_str(b, "from", w->link->from->name);
    mp_kv_str(b, "to", w->link->to->name);
    mp_kv_str(b, "via", w->link->via);
    put_known(b, "sent", c->from_known && !w->link->narrowed, c->sent);
    put_known(b, "received", c->to_known, c->received);
    put_known(b, "lost", c->to_known, c->lost);
    put_known(b, "crashed", c->to_known, c->crashed);
    put_known(b, "dropped", c->from_known, c->dropped);
    put_known(b, "queued", c->known, c->queued);
    mp_kv_uint(b, "queued_bytes", c->queued_bytes);
    if (c->known)
        mp_kv_int(b, "unaccounted", c->unaccounted);
    else
        mp_kv_nil(b, "unaccounted");
}

void wires_put(struct buf *b, const struct wires *ws) {
    mp_put_array(b, (uint32_t)ws->n);
    for (size_t i = 0; i < ws->n; i++)
        put_wire(b, &ws->wire[i]);
}

/* ---- all ---- */

struct sums {
    struct wire_counts all;
    uint64_t unknown; /* wires */
};

static struct sums sum_up(const struct wires *ws) {
    struct sums s = {0};
    for (size_t i = 0; i < ws->n; i++) {
        const struct wire_counts *c = &ws->wire[i].now;
        s.unknown += !c->known;
        if (!c->known)
            continue;
        s.all.sent += c->sent;
        s.all.received += c->received;
        s.all.lost += c->lost;
        s.all.crashed += c->crashed;
        s.all.dropped += c->dropped;
        s.all.queued += c->queued;
        s.all.unaccounted += c->unaccounted;
    }
    return s;
}

static void say(struct buf *text, const struct wire *w, long long n, const char *what) {
    if (n)
        buf_printf(text, "%s%lld %s on %s → %s", buf_len(text) ? ", " : "", n, what,
                   w->link->from->name, w->link->to->name);
}

static void say_wire(struct buf *text, const struct wire *w) {
    const struct wire_counts *c = &w->now;
    say(text, w, (long long)c->lost, "lost");
    if (c->crashed)
        buf_printf(text, " (%llu crashed)", (unsigned long long)c->crashed);
    say(text, w, (long long)c->dropped, "dropped");
    say(text, w, c->unaccounted, "unaccounted for");
}

/* "all 120 messages accounted for", "12 lost on decode → rules (3 crashed); 4 on their way". */
static void say_all(struct buf *text, const struct wires *ws, const struct sums *s) {
    for (size_t i = 0; i < ws->n; i++)
        say_wire(text, &ws->wire[i]);
    if (!buf_len(text))
        buf_printf(text, "all %llu messages accounted for", (unsigned long long)s->all.sent);
    if (s->all.queued)
        buf_printf(text, "; %llu on their way", (unsigned long long)s->all.queued);
    if (s->unknown)
        buf_printf(text, "; unknown on %llu of %zu wires", (unsigned long long)s->unknown, ws->n);
}

void wires_put_balance(struct buf *b, const struct wires *ws) {
    struct sums s = sum_up(ws);
    struct buf text = {0};
    say_all(&text, ws, &s);
    mp_put_map(b, 9);
    mp_kv_uint(b, "sent", s.all.sent);
    mp_kv_uint(b, "received", s.all.received);
    mp_kv_uint(b, "lost", s.all.lost);
    mp_kv_uint(b, "crashed", s.all.crashed);
    mp_kv_uint(b, "dropped", s.all.dropped);
    mp_kv_uint(b, "queued", s.all.queued);
    mp_kv_int(b, "unaccounted", s.all.unaccounted);
    mp_kv_uint(b, "unknown", s.unknown);
    mp_kv_strn(b, "text", (char *)buf_data(&text), buf_len(&text));
    buf_free(&text);
}
