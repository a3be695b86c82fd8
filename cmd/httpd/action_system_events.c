/* GET /system/events: what the supervisor knows, as it changes. Events:
 *   status  once a second, data as in /system/status.json
 *   log     a line of the pipeline's log: {"time", "stage", "level", "text"}
 *   absent  instead of a status while the supervisor does not answer: {"error"}
 * One question a second serves all viewers, and none is asked without them.
 */
#include <string.h>

#include "json.h"
#include "spsub.h"
#include "sse.h"
#include "system.h"

enum { VIEWERS = 128, EVERY_MS = 1000 };

static struct {
    struct httpd *h;
    uv_timer_t timer;
    bool open, asking;
    size_t viewers;
    struct spsub *log;      /* NULL while nobody looks */
    struct sse_event *last; /* newest status */
    uint64_t last_ms;
} events;

static void tell(struct sse_event *e) {
    sse_push_all(&events, e);
    sse_event_drop(e);
}

/* ---- status ---- */

static bool put_status(struct buf *out, const struct rpc_result *r) {
    struct mp_cursor at = {r->body, r->body + r->len};
    buf_puts(out, "event: status\ndata: ");
    return json_from_mp(out, &at, NULL) == 1;
}

static void put_absent(struct buf *out, const struct rpc_result *r) {
    buf_puts(out, "event: absent\ndata: {\"error\":");
    json_put_str(out, r->error, strlen(r->error));
    buf_putc(out, '}');
}

static void keep(struct sse_event *e) {
    e->refs++;
    sse_event_drop(events.last);
    events.last = e;
    events.last_ms = uv_now(&events.h->st.loop);
}

static void status_done(void *ctx, const struct rpc_result *r) {
    struct buf *out = &events.h->out;
    (void)ctx;
    events.asking = false;
    if (events.viewers == 0)
        return;
    buf_clear(out);
    bool there = r->ok && put_status(out, r);
    if (!there) {
        buf_clear(out);
        put_absent(out, r);
    }
    buf_puts(out, "\n\n");
    struct sse_event *e = sse_event_make(out);
    if (there)
        keep(e);
    tell(e);
}

static void ask(void) {
    struct buf *out = &events.h->out;
    if (events.asking)
        return;
    buf_clear(out);
    rpc_request_begin(out, "status", 0);
    events.asking = system_ask_for(events.h, status_done, NULL);
}

static void on_timer(uv_timer_t *t) {
    (void)t;
    ask();
}

/* ---- log lines ---- */

static void on_line(void *ctx, const char *from, const struct msg *m) {
    struct buf *out = &events.h->out;
    (void)ctx;
    (void)from;
    buf_clear(out);
    buf_puts(out, "event: log\ndata: ");
    system_put_line(out, m->time, m->body, m->body_len);
    buf_puts(out, "\n\n");
    tell(sse_event_make(out));
}

static void close_log(void) {
    if (events.log)
        spsub_close(events.log);
    events.log = NULL;
}

static void open_log(void) {
    static const struct spsub_events ev = {.on_msg = on_line};
    events.log = spsub_open(&events.h->st.loop, "supervisor", "log.line", &ev, NULL);
}

/* ---- viewers ---- */

static void first_viewer(struct httpd *h) {
    if (!events.open)
        uv_timer_init(&h->st.loop, &events.timer);
    events.open = true;
    events.h = h;
    uv_timer_start(&events.timer, on_timer, EVERY_MS, EVERY_MS);
    open_log();
}

static void gone(void *ctx) {
    (void)ctx;
    if (--events.viewers == 0)
        events_stop();
}

static void serve(struct request *q) {
    if (!system_may_stream(q, events.viewers, VIEWERS))
        return;
    if (events.viewers++ == 0)
        first_viewer(q->h);
    struct sse *s = sse_open(q, gone, &events);
    if (!s)
        return;
    if (events.last && uv_now(&q->h->st.loop) - events.last_ms < EVERY_MS)
        sse_push(s, events.last);
    else
        ask();
}

void events_stop(void) {
    if (events.open)
        uv_timer_stop(&events.timer);
    close_log();
}

void events_close(void) {
    if (events.open)
        uv_close((uv_handle_t *)&events.timer, NULL);
    events.open = false;
    sse_event_drop(events.last);
    events.last = NULL;
}

const struct action action_system_events = {.name = "events",
                                            .usage = "events",
                                            .methods = METHOD_GET | METHOD_HEAD,

                                            .serve = serve};
