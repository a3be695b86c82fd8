#include "sse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "endless.h"
#include "server.h"
#include "tries.h"

enum {
    BLOCK = 16 << 10,    /* bytes of one chunk, as MHD's own buffer */
    HEARTBEAT_MS = 15000 /* proxies cut what is silent */
};

struct sse {
    struct endless on; /* the first */
    uint64_t who;      /* its address, see tries.h */
    uint64_t pushed_ms;
    uint64_t skipped;          /* since it was last told */
    struct sse_event *sending; /* partly sent, so it is finished in any case */
    size_t sent;
    struct sse_event *queue[SSE_QUEUE];
    size_t first, n, bytes;
    void (*gone)(void *ctx);
    void *ctx;
};

/* All streams, and the moment when those that wait are woken. */
static struct {
    struct httpd *h;
    struct endless *first;
    uv_timer_t timer;
    bool open, ending;
    uint64_t woken_ms;
} hub;

/* ---- events ---- */

struct sse_event *sse_event_make(const struct buf *text) {
    struct sse_event *e = mem_alloc(sizeof *e + buf_len(text));
    e->refs = 1;
    e->n = buf_len(text);
    memcpy(e->bytes, buf_data(text), e->n);
    return e;
}

void sse_event_drop(struct sse_event *e) {
    if (e && --e->refs == 0)
        free(e);
}

/* ---- waking ---- */

static struct sse *sse_of(struct endless *on) {
    return (struct sse *)on;
}

static void wake(uv_timer_t *t) {
    hub.woken_ms = uv_now(t->loop);
    for (struct endless *on = hub.first; on; on = on->next)
        if (on->suspended && (sse_of(on)->n || on->cut || hub.ending))
            endless_resume(on);
    server_run(hub.h);
}

/* At once when it was quiet, else together with what comes meanwhile. */
static void wake_soon(void) {
    uint64_t now = uv_now(&hub.h->st.loop), next = hub.woken_ms + SSE_EVEN_MS;
    if (!uv_is_active((uv_handle_t *)&hub.timer))
        uv_timer_start(&hub.timer, wake, next > now ? next - now : 0, 0);
}

/* ---- the queue ---- */

static struct sse_event *take_oldest(struct sse *s) {
    struct sse_event *e = s->queue[s->first];
    s->first = (s->first + 1) % SSE_QUEUE;
    s->n--;
    s->bytes -= e->n;
    return e;
}

void sse_skip(struct sse *s, uint64_t n) {
    s->skipped += n;
    hub.h->n.sse_skipped += n;
}

static void drop_oldest(struct sse *s) {
    struct sse_event *e = take_oldest(s);
    if (e->own)
        s->skipped += e->told;
    else
        sse_skip(s, 1);
    sse_event_drop(e);
}

void sse_push(struct sse *s, struct sse_event *e) {
    while (s->n == SSE_QUEUE || (s->n && s->bytes + e->n > SSE_QUEUE_BYTES))
        drop_oldest(s);
    e->refs++;
    s->queue[(s->first + s->n++) % SSE_QUEUE] = e;
    s->bytes += e->n;
    s->pushed_ms = uv_now(&hub.h->st.loop);
    if (s->on.suspended)
        wake_soon();
}

void sse_push_all(const void *ctx, struct sse_event *e) {
    for (struct endless *on = hub.first; on; on = on->next)
        if (sse_of(on)->ctx == ctx)
            sse_push(sse_of(on), e);
}

/* Something of our own; told: how much skipping it speaks of. */
static void push_own(struct sse *s, const char *text, uint64_t told) {
    struct buf b = {0};
    buf_puts(&b, text);
    struct sse_event *e = sse_event_make(&b);
    e->own = true;
    e->told = told;
    sse_push(s, e);
    sse_event_drop(e);
    buf_free(&b);
}

/* ---- sending: MHD asks ---- */

static size_t copy_some(struct sse *s, char *out, size_t room) {
    if (!s->sending) {
        s->sending = take_oldest(s);
        s->sent = 0;
    }
    size_t n = endless_copy(s->sending->bytes, s->sending->n, &s->sent, out, room);
    if (s->sent == s->sending->n) {
        sse_event_drop(s->sending);
        s->sending = NULL;
    }
    return n;
}

static ssize_t read_on(void *cls, uint64_t pos, char *out, size_t room) {
    struct sse *s = cls;
    size_t n = 0;
    (void)pos;
    if (s->on.cut)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (hub.ending)
        return MHD_CONTENT_READER_END_OF_STREAM;
    while (n < room && (s->sending || s->n))
        n += copy_some(s, out + n, room - n);
    return endless_gave(&s->on, n);
}

/* The response is freed: the connection has gone, or never took it. */
static void ended(void *cls) {
    struct sse *s = cls;
    endless_unlink(&s->on, &hub.first);
    hub.h->n.sse_viewers--;
    while (s->n)
        sse_event_drop(take_oldest(s));
    sse_event_drop(s->sending);
    s->gone(s->ctx);
    free(s);
}

/* ---- opening ---- */

size_t sse_streams_of(uint64_t who) {
    size_t n = 0;
    for (struct endless *on = hub.first; on; on = on->next)
        n += sse_of(on)->who == who;
    return n;
}

static void start_hub(struct httpd *h) {
    if (hub.open)
        return;
    hub.open = true;
    hub.h = h;
    uv_timer_init(&h->st.loop, &hub.timer);
}

struct sse *sse_open(struct request *q, void (*gone)(void *ctx), void *ctx) {
    start_hub(q->h);
    struct sse *s = mem_alloc(sizeof *s);
    s->gone = gone;
    s->ctx = ctx;
    s->who = tries_who(conn_address(q->conn));
    endless_link(&s->on, &hub.first, q);
    hub.h->n.sse_viewers++;
    push_own(s, "retry: 2000\n\n", 0); /* the head goes out with it */
    struct MHD_Response *r = endless_response(&s->on, "text/event-stream", BLOCK, read_on, ended);
    if (!r)
        return NULL;
    request_answer(q, 200, r, 0);
    return s;
}

/* ---- once a second ---- */

static void tell_skipped(struct sse *s) {
    char text[80];
    uint64_t n = s->skipped;
    s->skipped = 0;
    snprintf(text, sizeof text, "event: skipped\ndata: {\"count\":%llu}\n\n",
             (unsigned long long)n);
    push_own(s, text, n);
}

void sse_tick(void) {
    bool cut = false;
    for (struct endless *on = hub.first; on; on = on->next) {
        struct sse *s = sse_of(on);
        on->cut |= on->suspended && endless_gone(on);
        cut |= on->cut;
        if (s->skipped)
            tell_skipped(s);
        else if (uv_now(&hub.h->st.loop) - s->pushed_ms >= HEARTBEAT_MS)
            push_own(s, ":\n\n", 0);
    }
    if (cut)
        wake_soon();
}

void sse_stop(void) {
    hub.ending = true;
    endless_resume_all(hub.first);
}

void sse_close(void) {
    if (hub.open)
        uv_close((uv_handle_t *)&hub.timer, NULL);
    hub.open = false;
}
