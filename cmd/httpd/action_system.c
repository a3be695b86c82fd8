/* The page of --system, and what it and others ask for once: status, time, log lines, metrics. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "file.h"
#include "json.h"
#include "log.h"
#include "metrics.h"
#include "reply.h"
#include "system.h"

enum { LINES_DEFAULT = 100, LINES_MAX = 4000 };

/* ---- the page ---- */

/* Its buttons change things, so no other site may lay it under a page of its own. */
static void serve_page(struct request *q) {
    file_serve(q, AT_FDCWD, q->route->rest, false);
    reply_header(q->response, "Content-Security-Policy", "frame-ancestors 'self'");
    reply_header(q->response, "Cache-Control", "no-cache");
}

/* /system/ is meant as /system. */
static void serve_rest(struct request *q) {
    if (*path_rest(&q->path, q->route->segments))
        reply_error(q, 404, NULL);
    else
        reply_error_with(q, 301, "Location", "/system");
}

/* ---- status, metrics ---- */

static void status_done(void *ctx, const struct rpc_result *r) {
    struct request *q = ctx;
    struct buf *out = &q->h->out;
    struct mp_cursor at = {r->body, r->body + r->len};
    buf_clear(out);
    if (!r->ok)
        system_no_answer(q, r);
    else if (json_from_mp(out, &at, NULL) == 1)
        reply_json(q, 200, buf_data(out), buf_len(out));
    else
        reply_error(q, 502, "the reply is nested too deeply");
}

static void metrics_done(void *ctx, const struct rpc_result *r) {
    struct request *q = ctx;
    struct buf *out = &q->h->out;
    if (!r->ok) {
        system_no_answer(q, r);
        return;
    }
    buf_clear(out);
    metrics_put(out, r->body, r->len);
    reply_bytes(q, 200, METRICS_TYPE, buf_data(out), buf_len(out));
}

static void ask_status(struct request *q, rpc_done done) {
    struct buf *out = &q->h->out;
    buf_clear(out);
    rpc_request_begin(out, "status", 0);
    system_ask(q, done);
}

static void serve_status(struct request *q) {
    ask_status(q, status_done);
}

static void serve_metrics(struct request *q) {
    ask_status(q, metrics_done);
}

/* ---- time ---- */

static void serve_time(struct request *q) {
    struct buf *out = &q->h->out;
    buf_clear(out);
    buf_printf(out, "{\"now\":\"%llu\"}", (unsigned long long)clock_wall_ns());
    reply_json(q, 200, buf_data(out), buf_len(out));
}

/* ---- log lines ---- */

static void put_lines(struct buf *out, const struct rpc_result *r) {
    struct mp_value list;
    struct mp_cursor at;
    buf_puts(out, "{\"lines\":[");
    if (mp_find(r->body, r->len, "lines", &list, &at) && list.type == MP_ARRAY &&
        mp_read(&at, &list) == 1)
        for (uint32_t i = 0; i < list.len; i++) {
            const uint8_t *p = at.at;
            uint64_t time = 0;
            if (mp_skip(&at) != 1)
                break;
            mp_get_uint(p, (size_t)(at.at - p), "time", &time);
            buf_puts(out, i ? "," : "");
            system_put_line(out, time, p, (size_t)(at.at - p));
        }
    buf_puts(out, "]}");
}

static void logs_done(void *ctx, const struct rpc_result *r) {
    struct request *q = ctx;
    struct buf *out = &q->h->out;
    if (!r->ok) {
        system_no_answer(q, r);
        return;
    }
    buf_clear(out);
    put_lines(out, r);
    reply_json(q, 200, buf_data(out), buf_len(out));
}

/* -1 when it is neither a word nor a number of syslog. */
static int64_t level_of(const char *text) {
    static const struct {
        const char *word;
        int level;
    } levels[] = {{"error", LOG_ERROR}, {"warning", LOG_WARN}, {"info", LOG_INFO},
                  {"debug", LOG_DEBUG}, {"trace", LOG_TRACE},  {"", LOG_TRACE}};
    int64_t n;
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(levels[i].word, text) == 0)
            return levels[i].level;
    return opt_number(OPT_INT, text, &n, NULL) == 0 && n >= 0 ? n : -1;
}

static int64_t lines_of(const char *text) {
    int64_t n;
    if (!*text)
        return LINES_DEFAULT;
    return opt_number(OPT_INT, text, &n, NULL) == 0 && n >= 0 && n <= LINES_MAX ? n : -1;
}

static void serve_logs(struct request *q) {
    struct buf *out = &q->h->out;
    const char *stage = request_query(q, "stage");
    int64_t lines = lines_of(request_query(q, "lines")),
            level = level_of(request_query(q, "level"));
    if (lines < 0 || level < 0) {
        reply_error(q, 400,
                    lines < 0 ? "lines: a number up to 4000"
                              : "level: error, warning, info, debug, trace, or syslog's number");
        return;
    }
    buf_clear(out);
    rpc_request_begin(out, "logs", *stage ? 3 : 2);
    mp_kv_uint(out, "lines", (uint64_t)lines);
    mp_kv_uint(out, "level", (uint64_t)level);
    if (*stage)
        mp_kv_str(out, "stage", stage);
    system_ask(q, logs_done);
}

enum { READS = METHOD_GET | METHOD_HEAD };

const struct action action_system_page = {
    .name = "page", .usage = "page FILE", .words = 1, .methods = READS, .serve = serve_page};
const struct action action_system_rest = {.name = "rest",
                                          .usage = "rest",
                                          .methods = READS,
                                          .trailing_slash = true,

                                          .serve = serve_rest};
const struct action action_system_status = {.name = "status",
                                            .usage = "status",
                                            .methods = READS,

                                            .serve = serve_status};
const struct action action_system_time = {
    .name = "time", .usage = "time", .methods = READS, .serve = serve_time};
const struct action action_system_logs = {
    .name = "logs", .usage = "logs", .methods = READS, .serve = serve_logs};
const struct action action_system_metrics = {.name = "metrics",
                                             .usage = "metrics",
                                             .methods = READS,

                                             .serve = serve_metrics};
