/* Requests: of httpd and of people (tapline req rules state).
 *
 *   state                       what pages are sent
 *   history {query: "from=MS&to=MS&points=N" | "last=MS&points=N"}
 *   request {text}              passed on to hevbcast: commands, and alarms that are acknowledged
 */
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "hev.h"

enum {
    ANSWER_MS = 1500, /* less than httpd waits for us */
    ASKING = 32,      /* requests under way */
    POINTS = 600,
    POINTS_MAX = 6000, /* their text is far below RPC_MAX */
    TEXT_MAX = 2000    /* a patient's data, every character escaped, have half of it */
};

/* ---- history ---- */

struct window {
    uint64_t from_us, to_us, points;
};

static uint64_t oldest_us(uint64_t now_us) {
    return now_us - (uint64_t)vent.opt.history_ms * 1000;
}

static struct window window_of(const uint8_t *body, size_t n) {
    char query[256] = "";
    uint64_t v, now = clock_wall_ns() / 1000;
    struct window w = {oldest_us(now), now + 1000000, POINTS};
    mp_get_cstr(body, n, "query", query, sizeof query);
    if (ask_query_number(query, "last", &v) && v < (uint64_t)vent.opt.history_ms)
        w.from_us = now - v * 1000;
    if (ask_query_number(query, "from", &v) && v < UINT64_MAX / 1000 && v * 1000 > w.from_us)
        w.from_us = v * 1000;
    if (ask_query_number(query, "to", &v) && v < UINT64_MAX / 1000 && v * 1000 < w.to_us)
        w.to_us = v * 1000;
    if (ask_query_number(query, "points", &v) && v > 0)
        w.points = v < POINTS_MAX ? v : POINTS_MAX;
    if (w.to_us < w.from_us)
        w.to_us = w.from_us;
    return w;
}

static void put_row(struct buf *b, const char *key, const struct vent_column *c, size_t n,
                    size_t offset) {
    buf_printf(b, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        float v;
        memcpy(&v, (const char *)&c[i] + offset, sizeof v);
        if (i)
            buf_putc(b, ',');
        vent_put_number(b, v, 2);
    }
    buf_putc(b, ']');
}

/* Exact columns have no high: it is what low is. */
static void put_columns(struct buf *b, const struct vent_column *c, size_t n, bool exact) {
    static const char *const key[VENT_CHANNELS] = {"p", "f", "v"};
    for (size_t k = 0; k < VENT_CHANNELS; k++) {
        buf_printf(b, ",\"%s\":{", key[k]);
        put_row(b, "low", c, n, offsetof(struct vent_column, low) + k * sizeof(float));
        if (!exact) {
            buf_putc(b, ',');
            put_row(b, "high", c, n, offsetof(struct vent_column, high) + k * sizeof(float));
        }
        buf_putc(b, '}');
    }
}

static void put_times(struct buf *b, const struct vent_column *c, size_t n, uint64_t from_us) {
    buf_puts(b, ",\"t\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(b, ',');
        vent_put_number(b, (double)(c[i].time_us - from_us) / 1000, 1);
    }
    buf_putc(b, ']');
}

static uint64_t first_ms(void) {
    return vent.ring->kept ? vent_ring_at(vent.ring, 0)->time_us / 1000 : 0;
}

static void put_history(struct buf *b, const struct window *w) {
    bool exact;
    struct vent_column *c = mem_alloc(w->points * sizeof *c);
    size_t n = vent_ring_columns(vent.ring, w->from_us, w->to_us, c, w->points, &exact);
    buf_puts(b, "{\"from\":");
    vent_put_number(b, (double)w->from_us / 1000, 3);
    buf_puts(b, ",\"to\":");
    vent_put_number(b, (double)w->to_us / 1000, 3);
    buf_printf(b, ",\"first\":%llu,\"exact\":%s,\"raw\":%s", (unsigned long long)first_ms(),
               exact ? "true" : "false", vent.raw ? "true" : "false");
    put_times(b, c, n, w->from_us);
    put_columns(b, c, n, exact);
    buf_puts(b, ",\"events\":[");
    vent_events_json(&vent.memory->events, w->from_us, w->to_us, b);
    buf_puts(b, "]}");
    free(c);
}

static void on_history(struct rpc_call *call, const uint8_t *body, size_t n) {
    static struct buf text;
    struct window w = window_of(body, n);
    buf_clear(&text);
    put_history(&text, &w);
    struct buf *b = rpc_reply_begin(call, 2);
    mp_kv_str(b, "type", "application/json; charset=utf-8");
    mp_kv_strn(b, "text", (const char *)buf_data(&text), buf_len(&text));
    rpc_reply_end(call);
}

static void on_state(struct rpc_call *call) {
    struct buf *b = rpc_reply_begin(call, 1);
    mp_put_str(b, "body");
    vent_page_put_state(b);
    rpc_reply_end(call);
}

/* ---- requests to the device ---- */

static struct rpc_client server;
static struct asked {
    struct rpc_call *call; /* NULL = free */
    bool http;
} asking[ASKING];

static void answer(struct asked *a, const struct rpc_result *r) {
    char reply[16] = "", reason[200] = "the device's server refuses it";
    mp_get_cstr(r->body, r->len, "reply", reply, sizeof reply);
    mp_get_cstr(r->body, r->len, "reason", reason, sizeof reason);
    if (strcmp(reply, "ack") != 0) {
        ask_refuse(a->call, a->http, 409, reason);
        return;
    }
    struct buf *b = rpc_reply_begin(a->call, 1);
    mp_put_str(b, "body");
    mp_put_map(b, 2);
    mp_kv_bool(b, "ok", true);
    mp_kv_str(b, "reply", reply);
    rpc_reply_end(a->call);
}

static void done(void *ctx, const struct rpc_result *r) {
    struct asked *a = ctx;
    if (r->ok) {
        answer(a, r);
    } else {
        vent.requests_failed++;
        ask_refuse(a->call, a->http, r->cause == CAUSE_FAILED ? 409 : 503, r->error);
    }
    a->call = NULL;
}

static void pass_on(struct asked *a, const char *text, size_t len) {
    static struct buf question;
    buf_clear(&question);
    rpc_request_begin(&question, "request", 1);
    mp_kv_strn(&question, "text", text, len);
    rpc_request(&server, &question, ANSWER_MS, done, a);
    vent.requests++;
}

static void on_request(struct rpc_call *call, const uint8_t *body, size_t n) {
    const char *text, *why = NULL;
    size_t len, i = 0;
    unsigned status = 400;
    while (i < ASKING && asking[i].call)
        i++;
    if (ask_from_stranger(body, n))
        why = ask_stranger_text;
    else if (!mp_get_str(body, n, "text", &text, &len) || len == 0 || len > TEXT_MAX)
        why = "text: a request as on the TCP port, of at most 2000 bytes";
    else if (i == ASKING)
        why = "too many requests are under way", status = 503;
    if (why) {
        ask_refuse(call, ask_is_http(body, n), status, why);
        return;
    }
    asking[i] = (struct asked){call, ask_is_http(body, n)};
    pass_on(&asking[i], text, len);
}

void vent_http_request(void *ctx, struct rpc_call *call, const char *op, const uint8_t *body,
                       size_t n) {
    (void)ctx;
    if (strcmp(op, "state") == 0)
        on_state(call);
    else if (strcmp(op, "history") == 0)
        on_history(call, body, n);
    else if (strcmp(op, "request") == 0)
        on_request(call, body, n);
    else
        rpc_reply_error(call, "dispatch hev does not know the request \"%s\"", op);
}

int vent_http_open(struct err *e) {
    return rpc_client_open(&server, &vent.st->loop, vent.opt.requests, e);
}

void vent_http_close(void) {
    rpc_client_close(&server);
    for (size_t i = 0; i < ASKING; i++)
        if (asking[i].call)
            rpc_reply_error(asking[i].call, "the rules are being stopped");
}
