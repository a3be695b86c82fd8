#include "system.h"

#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "conn.h"
#include "json.h"
#include "reply.h"
#include "sse.h"
#include "tries.h"

/* Of one address other than this machine: a page has one stream of each kind it
 * shows, and a class may share an address. */
enum { STREAMS_EACH = 48 };

/* Opened with the first question: an httpd run by hand has no supervisor to look for. */
static struct rpc_client supervisor;

/* ---- routes ---- */

static const struct action *const actions[] = {&action_file,
                                               &action_dir,
                                               &action_system_page,
                                               &action_system_rest,
                                               &action_system_status,
                                               &action_system_time,
                                               &action_system_logs,
                                               &action_system_metrics,
                                               &action_system_events,
                                               &action_system_tap,
                                               &action_system_restart,
                                               &action_system_put,
                                               NULL};

/* The DIR of --system stands for %s. */
static const char *const routes[] = {
    "GET /system page %s/index.html",
    "GET /system/* rest",
    "GET /system/status.json status",
    "GET /system/time.json time",
    "GET /system/logs.json logs",
    "GET /system/events events",
    "GET /system/tap tap",
    "POST /system/restart restart",
    "POST /system/put put",
    "GET /metrics metrics",
    "GET /vendor/dygraphs/* dir /usr/share/javascript/dygraphs follow"};
/* Where the pipeline says so itself, its own routes count. */
static const char *const assets[] = {"GET /static/system/* dir %s",
                                     "GET /static/shared/* dir %s/../shared"};

static int add(struct httpd *h, const char *pattern, struct err *e) {
    struct buf text = {0};
    buf_printf(&text, pattern, h->system);
    buf_putc(&text, 0);
    int r = route_add(&h->table, (char *)buf_data(&text), actions, e);
    buf_free(&text);
    return r;
}

int system_declare(struct httpd *h, struct err *e) {
    if (!h->system)
        return 0;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (add(h, routes[i], e) < 0)
            return -1;
    for (size_t i = 0; i < sizeof assets / sizeof *assets; i++)
        add(h, assets[i], NULL);
    return 0;
}

/* ---- its life ---- */

int system_open(struct httpd *h, struct err *e) {
    return h->system ? admin_open(h, e) : 0;
}

void system_tick(struct httpd *h) {
    (void)h;
    sse_tick();
}

void system_stop(struct httpd *h) {
    (void)h;
    events_stop();
    post_stop();
    rpc_client_close(&supervisor);
    sse_stop();
}

void system_close(struct httpd *h) {
    (void)h;
    events_close();
    sse_close();
}

/* ---- asking the supervisor ---- */

static bool reach(struct httpd *h, struct err *e) {
    return supervisor.open || rpc_client_open(&supervisor, &h->st.loop, "supervisor", e) == 0;
}

bool system_ask_for(struct httpd *h, rpc_done done, void *ctx) {
    struct err e;
    if (!reach(h, &e))
        return false;
    h->n.asks++;
    rpc_request(&supervisor, &h->out, (unsigned)h->ask_timeout_ms, done, ctx);
    return true;
}

void system_ask(struct request *q, rpc_done done) {
    struct err e;
    if (q->h->stopping) {
        reply_error(q, 503, "the server is being stopped");
    } else if (!reach(q->h, &e)) {
        reply_error(q, 503, e.text);
    } else {
        request_suspend(q);
        system_ask_for(q->h, done, q);
    }
}

void system_no_answer(struct request *q, const struct rpc_result *r) {
    char why[400];
    if (r->cause == CAUSE_FAILED) {
        reply_error(q, 404, r->error);
        return;
    }
    q->h->n.ask_timeouts += r->cause == CAUSE_TIMEOUT;
    snprintf(why, sizeof why, "%s; does this httpd run in a pipeline?", r->error);
    reply_error(q, 503, why);
}

/* ---- shared ---- */

void system_put_line(struct buf *b, uint64_t time, const uint8_t *p, size_t n) {
    const char *stage = "", *text = "";
    size_t stage_len = 0, text_len = 0;
    uint64_t level = 0;
    mp_get_uint(p, n, "level", &level);
    mp_get_str(p, n, "stage", &stage, &stage_len);
    mp_get_str(p, n, "text", &text, &text_len);
    buf_printf(b, "{\"time\":\"%llu\",\"stage\":", (unsigned long long)time);
    json_put_str(b, stage, stage_len);
    buf_printf(b, ",\"level\":%llu,\"text\":", (unsigned long long)level);
    json_put_str(b, text, text_len);
    buf_putc(b, '}');
}

bool system_may_stream(struct request *q, size_t viewers, size_t most) {
    char why[80];
    uint64_t who = tries_who(conn_address(q->conn));
    if (q->h->stopping)
        reply_error(q, 503, "the server is being stopped");
    else if (viewers >= most) {
        snprintf(why, sizeof why, "%zu viewers are connected already, the most there may be", most);
        reply_error(q, 503, why);
    } else if (!tries_who_is_here(who) && sse_streams_of(who) >= STREAMS_EACH) {
        snprintf(why, sizeof why, "this address has %d streams already", STREAMS_EACH);
        reply_error(q, 429, why);
    } else if (strcmp(q->method, "HEAD") == 0)
        reply_bytes(q, 200, "text/event-stream", "", 0);
    else
        return true;
    return false;
}
