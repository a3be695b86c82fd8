#include <stdlib.h>

#include "fanout.h"
#include "log.h"

enum { TICK_MIN_MS = 10, TICK_MAX_MS = 500 };

void watch_heard(struct client *c) {
    c->heard_ms = fanout_ms(c->f);
    c->ping_ms = 0;
}

void watch_asked(struct client *c) {
    if (c->ping_ms == 0)
        c->ping_ms = fanout_ms(c->f);
}

static void cut(struct client *c, const char *reason, enum cause cause) {
    static struct log_limit cuts;
    log_limited(&cuts, LOG_WARN, "client %llu (%s) cut: %s", (unsigned long long)c->id, c->peer,
                reason);
    client_drop(c, reason, cause);
}

/* Whoever answers pings may still send a message that never ends. */
static bool is_late(const struct client *c, uint64_t now) {
    uint64_t limit = (uint64_t)c->f->opt.message_ms;
    return limit && c->begun_ms && now - c->begun_ms > limit;
}

static void refuse_late(struct client *c) {
    static struct log_limit lates;
    const char *reason = "message not complete in time";
    log_limited(&lates, LOG_WARN, "client %llu (%s) closed with %u: %s (--message-time)",
                (unsigned long long)c->id, c->peer, WSFRAME_POLICY, reason);
    c->f->n.cut_late++;
    receive_refuse(c, WSFRAME_POLICY, reason);
}

/* A program that is frozen behind a living connection reads the reason when it wakes up. */
static void close_dead(struct client *c) {
    static struct log_limit deads;
    const char *reason = "keepalive ping timeout";
    c->f->n.cut_dead++;
    log_limited(&deads, LOG_WARN, "client %llu (%s) closed: no answer to a ping (--pong-timeout)",
                (unsigned long long)c->id, c->peer);
    client_close(c, WSFRAME_NO_PONG, reason, CAUSE_TIMEOUT, END_FAIL);
}

/* While bytes wait for the client its pong cannot be expected: progress is what counts then. */
static void look_at(struct client *c, uint64_t now, struct span *ping) {
    struct fanout *f = c->f;
    if (is_late(c, now)) {
        refuse_late(c);
    } else if (c->out.count) {
        if (now - c->progress_ms > (uint64_t)f->opt.stall_ms) {
            f->n.cut_slow++;
            cut(c, "it takes nothing of what is sent to it (--stall)", CAUSE_LIMIT);
        } else if (c->ping_ms) {
            c->ping_ms = now;
        }
    } else if (c->ping_ms) {
        if (f->opt.pong_ms && now - c->ping_ms > (uint64_t)f->opt.pong_ms)
            close_dead(c);
    } else if (f->opt.ping_ms && now - c->heard_ms >= (uint64_t)f->opt.ping_ms) {
        if (ping->len == 0)
            *ping = out_frame(f, WSFRAME_PING, "k", 1);
        out_queue(c, *ping);
        f->n.pings++;
        watch_asked(c);
    }
}

/* Backwards: whoever is dropped is replaced by the last of the list. */
static void look_at_open(struct fanout *f, uint64_t now) {
    struct span ping = {0};
    if (f->blocked)
        return;
    for (size_t i = f->open_count; i-- > 0;)
        look_at(f->open[i], now, &ping);
}

static void look_at_leaving(struct fanout *f, uint64_t now) {
    for (size_t i = f->leaving_count; i-- > 0;)
        if (now >= f->leaving[i]->deadline_ms)
            client_finish(f->leaving[i]);
}

static void on_tick(uv_timer_t *t) {
    struct fanout *f = t->data;
    uint64_t now = fanout_ms(f);
    out_room(f);
    look_at_open(f, now);
    look_at_leaving(f, now);
    if (f->open_count + f->leaving_count == 0)
        uv_timer_stop(&f->tick);
}

static uint64_t at_most(uint64_t tick, int64_t limit_ms) {
    uint64_t part = (uint64_t)limit_ms / 4;
    return limit_ms && part < tick ? part : tick;
}

void watch_start(struct fanout *f) {
    uint64_t ms = TICK_MAX_MS;
    if (uv_is_active((uv_handle_t *)&f->tick) && !f->stopping)
        return;
    ms = at_most(ms, f->opt.ping_ms);
    ms = at_most(ms, f->opt.pong_ms);
    ms = at_most(ms, f->opt.stall_ms);
    ms = at_most(ms, f->opt.message_ms);
    if (f->stopping || ms < TICK_MIN_MS)
        ms = TICK_MIN_MS;
    uv_timer_start(&f->tick, on_tick, ms, ms);
}

void watch_resume(struct fanout *f) {
    uint64_t now = fanout_ms(f);
    for (size_t i = 0; i < f->open_count; i++) {
        struct client *c = f->open[i];
        c->heard_ms = now;
        if (c->ping_ms)
            c->ping_ms = now;
        if (c->begun_ms)
            c->begun_ms = now;
    }
}

void watch_open(struct fanout *f) {
    uv_timer_init(&f->st->loop, &f->tick);
    f->tick.data = f;
}

void watch_close(struct fanout *f) {
    uv_close((uv_handle_t *)&f->tick, NULL);
}
