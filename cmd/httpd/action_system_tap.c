/* GET /system/tap?from=ENDPOINT[,ENDPOINT...]&topic=PREFIX&rate=N&body=0: the messages that flow
 * there.
 * Events:
 *   message  {"from", "topic", "time": "NANOSECONDS", "seq", "body", "bytes": of the whole message}
 *   skipped  {"count"}: messages that were left out: above the rate, for a slow viewer, or lost on
 *            their way here
 *   absent   {"error"}: at the beginning, for an endpoint that is not there now; it may come
 * Binary is {"$bin": base64}. A value of the body that takes more than VALUE_MAX bytes is
 * {"$size": n} instead. With body=0 there is no "body", for those who only want to know when what
 * came: pictures are not sent to them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "rate.h"
#include "reply.h"
#include "spsub.h"
#include "sse.h"
#include "system.h"

enum {
    VIEWERS = 32,
    FROM_MAX = 16, /* endpoints of one viewer */
    FROM_BYTES = 1024,
    RATE_DEFAULT = 50,
    VALUE_MAX = 512 << 10
};

struct tap {
    struct httpd *h;
    struct sse *sse;
    struct spsub *sub[FROM_MAX];
    size_t subs;
    struct rate rate;
    bool bodies;
};

static size_t viewers;

/* ---- a message as JSON ---- */

static void put_size(struct buf *b, size_t n) {
    buf_printf(b, "{\"$size\":%zu}", n);
}

/* The value at *at, which moves behind it. */
static void put_value(struct buf *b, struct mp_cursor *at) {
    static const struct json_style style = {.bin = JSON_BIN_TAGGED};
    struct mp_cursor value = *at, inside = *at;
    struct mp_value v;
    size_t before = buf_len(b);
    mp_skip(at);
    mp_read(&inside, &v);
    bool plain = v.type == MP_BIN || v.type == MP_STR;
    size_t own = plain ? v.len : (size_t)(at->at - value.at);
    if (own > VALUE_MAX) {
        put_size(b, own);
    } else if (json_from_mp(b, &value, &style) != 1) {
        buf_puts(b, "null");
    } else if (buf_len(b) > SSE_EVENT_MAX - MSG_TOPIC_MAX) {
        b->end = b->start + before;
        put_size(b, own);
    }
}

static void put_key(struct buf *b, const struct mp_value *v) {
    if (v->type == MP_STR)
        json_put_str(b, (const char *)v->p, v->len);
    else
        buf_puts(b, "\"?\"");
}

static void put_body(struct buf *b, const struct msg *m) {
    struct mp_cursor at = {m->body, m->body + m->body_len};
    struct mp_value map, key;
    uint32_t i = 0;
    mp_read(&at, &map); /* msg_parse has seen that it is whole */
    buf_putc(b, '{');
    for (; i < map.len && buf_len(b) < SSE_EVENT_MAX; i++) {
        buf_puts(b, i ? "," : "");
        mp_read(&at, &key);
        put_key(b, &key);
        buf_putc(b, ':');
        put_value(b, &at);
    }
    if (i < map.len)
        buf_printf(b, ",\"$more\":%u", map.len - i);
    buf_putc(b, '}');
}

static void put_message(struct buf *b, const char *from, const struct msg *m, bool body) {
    buf_puts(b, "event: message\ndata: {\"from\":");
    json_put_str(b, from, strlen(from));
    buf_puts(b, ",\"topic\":");
    json_put_str(b, m->topic, m->topic_len);
    buf_printf(b, ",\"time\":\"%llu\",\"seq\":%llu,\"bytes\":%zu", (unsigned long long)m->time,
               (unsigned long long)m->seq, m->raw_len);
    if (body) {
        buf_puts(b, ",\"body\":");
        put_body(b, m);
    }
    buf_puts(b, "}\n\n");
}

/* ---- messages ---- */

static void push(struct tap *t, const struct buf *text) {
    struct sse_event *e = sse_event_make(text);
    sse_push(t->sse, e);
    sse_event_drop(e);
}

static void on_msg(void *ctx, const char *from, const struct msg *m) {
    struct tap *t = ctx;
    struct buf *out = &t->h->out;
    if (!rate_pass(&t->rate, clock_mono_ns())) {
        sse_skip(t->sse, 1);
        return;
    }
    buf_clear(out);
    put_message(out, from, m, t->bodies);
    push(t, out);
}

static void on_gap(void *ctx, uint64_t missing) {
    struct tap *t = ctx;
    sse_skip(t->sse, missing);
}

static void tell_absent(struct tap *t) {
    struct buf *out = &t->h->out;
    for (size_t i = 0; i < t->subs; i++) {
        if (spsub_is_there(t->sub[i]))
            continue;
        buf_clear(out);
        buf_puts(out, "event: absent\ndata: {\"error\":");
        buf_printf(out, "\"%s: nobody publishes there now\"}\n\n", spsub_name(t->sub[i]));
        push(t, out);
    }
}

/* ---- the life of a viewer ---- */

static void gone(void *ctx) {
    struct tap *t = ctx;
    viewers--;
    while (t->subs)
        spsub_close(t->sub[--t->subs]);
    free(t);
}

static int subscribe(struct tap *t, const char *from, const char *topic, struct err *e) {
    const struct spsub_events ev = {on_msg, on_gap, t};
    char names[FROM_BYTES], *save = NULL;
    if ((size_t)snprintf(names, sizeof names, "%s", from) >= sizeof names)
        return err_set(e, CAUSE_USAGE, "from: too long");
    for (char *name = strtok_r(names, ",", &save); name; name = strtok_r(NULL, ",", &save)) {
        if (t->subs == FROM_MAX)
            return err_set(e, CAUSE_USAGE, "from: at most %d endpoints", FROM_MAX);
        struct spsub *s = spsub_open(&t->h->st.loop, name, topic, &ev, e);
        if (!s)
            return -1;
        t->sub[t->subs++] = s;
    }
    return t->subs ? 0 : err_set(e, CAUSE_USAGE, "from: which endpoint?");
}

static int take_rate(struct tap *t, const char *rate, struct err *e) {
    int64_t n = RATE_DEFAULT;
    if (*rate && (opt_number(OPT_INT, rate, &n, NULL) < 0 || n < 1 || n > RATE_MAX))
        return err_set(e, CAUSE_USAGE, "rate: messages a second, 1 to %d", RATE_MAX);
    t->rate.per_s = (unsigned)n;
    return 0;
}

static int take_bodies(struct tap *t, const char *body, struct err *e) {
    t->bodies = strcmp(body, "0") != 0;
    if (t->bodies && *body && strcmp(body, "1") != 0)
        return err_set(e, CAUSE_USAGE, "body: 0 or 1");
    return 0;
}

static struct tap *tap_make(struct httpd *h) {
    struct tap *t = mem_alloc(sizeof *t);
    t->h = h;
    viewers++;
    return t;
}

static void serve(struct request *q) {
    struct err e;
    if (!system_may_stream(q, viewers, VIEWERS))
        return;
    struct tap *t = tap_make(q->h);
    if (take_rate(t, request_query(q, "rate"), &e) < 0 ||
        take_bodies(t, request_query(q, "body"), &e) < 0 ||
        subscribe(t, request_query(q, "from"), request_query(q, "topic"), &e) < 0) {
        gone(t);
        reply_error(q, e.cause == CAUSE_USAGE ? 400 : 503, e.text);
        return;
    }
    t->sse = sse_open(q, gone, t);
    if (t->sse)
        tell_absent(t);
}

const struct action action_system_tap = {.name = "tap",
                                         .usage = "tap",
                                         .methods = METHOD_GET | METHOD_HEAD,

                                         .serve = serve};
