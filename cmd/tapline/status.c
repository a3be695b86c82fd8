/* tapline status: what the supervisor knows about its pipeline: a line a stage, the wires on
 * request, and what became of the messages. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "commands.h"
#include "human.h"
#include "json.h"
#include "msg.h"
#include "opt.h"
#include "pick.h"
#include "rpc.h"
#include "table.h"

enum { CELL = 64, WATCH_MS = 1000 };

static bool as_json, watch, show_wires;

static const struct opt options[] = {
    {"json", 0, OPT_FLAG, &as_json, NULL, "everything the supervisor knows, as JSON", 0, 0},
    {"wires", 'W', OPT_FLAG, &show_wires, NULL, "also what went from stage to stage", 0, 0},
    {"watch", 'w', OPT_FLAG, &watch, NULL, "again every second", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline status",
    .summary = "the stages of a running pipeline",
    .synopsis = "[NAME]",
    .details =
        "lost: messages that were sent and never came. dropped: thrown away by the stage itself.\n"
        "queue: what waits inside it. age: since its last message.\n"
        "p50, p99: how long ago what it handles entered tapline, over the last 10 to 20 seconds.\n"
        "Of a wire: sent = received + lost + dropped + queued + unaccounted, since both its ends\n"
        "were there, over all their lives; crashed: how many were lost because one was gone.\n",
    .tables = {options, pick_options, NULL},
};

/* ---- what the reply holds ---- */

/* One map in it; of a stage also its report's. */
struct view {
    const uint8_t *p, *report;
    size_t n, report_n;
};

static uint64_t number(const uint8_t *p, size_t n, const char *key) {
    uint64_t v = 0;
    mp_get_uint(p, n, key, &v);
    return v;
}

static const char *text(const struct view *v, const char *key, char *out, size_t size) {
    out[0] = 0;
    mp_get_cstr(v->p, v->n, key, out, size);
    return out;
}

static bool find_map(const uint8_t *p, size_t n, const char *key, const uint8_t **at, size_t *len) {
    struct mp_value m;
    struct mp_cursor c;
    if (!mp_find(p, n, key, &m, &c) || m.type != MP_MAP)
        return false;
    *at = c.at;
    *len = (size_t)(c.end - c.at);
    return true;
}

/* Call take for each map in the array of that name. */
static void each(const struct buf *reply, const char *key, struct table *t,
                 void (*take)(struct table *t, const struct view *v)) {
    struct mp_value list;
    struct mp_cursor at;
    if (!mp_find(buf_data(reply), buf_len(reply), key, &list, &at) || list.type != MP_ARRAY ||
        mp_read(&at, &list) != 1)
        return;
    for (uint32_t i = 0; i < list.len; i++) {
        struct view v = {.p = at.at};
        if (mp_skip(&at) != 1)
            return;
        v.n = (size_t)(at.at - v.p);
        find_map(v.p, v.n, "report", &v.report, &v.report_n);
        take(t, &v);
    }
}

/* ---- stages ---- */

static void text_cell(struct table *t, const struct view *v, const char *key) {
    char s[CELL];
    table_cell(t, "%s", text(v, key, s, sizeof s));
}

static void rate_cell(struct table *t, const struct view *v, const char *key) {
    char s[CELL];
    double d = 0;
    mp_get_double(v->p, v->n, key, &d);
    table_cell(t, "%s", human_count(s, sizeof s, d));
}

static void count_cell(struct table *t, const struct view *v, const char *key) {
    char s[CELL];
    table_cell(t, "%s", human_count(s, sizeof s, (double)number(v->report, v->report_n, key)));
}

/* A time that nothing was measured for is no time. */
static void latency_cell(struct table *t, const struct view *v, const char *key) {
    char s[CELL];
    uint64_t us = number(v->report, v->report_n, key);
    table_cell(t, "%s", us ? human_us(s, sizeof s, us) : "");
}

static void age_cell(struct table *t, uint64_t last_ns) {
    char s[CELL];
    uint64_t now = clock_wall_ns();
    uint64_t ms = now > last_ns ? (now - last_ns) / 1000000u : 0;
    table_cell(t, "%s", last_ns ? human_ms(s, sizeof s, ms) : "");
}

static void reported_cells(struct table *t, const struct view *v) {
    static const char *const counts[] = {"lost", "dropped", "queue"};
    char s[CELL];
    double cpu = 0;
    rate_cell(t, v, "in_per_s");
    rate_cell(t, v, "out_per_s");
    for (int i = 0; i < 3; i++)
        count_cell(t, v, counts[i]);
    latency_cell(t, v, "latency_p50_us");
    latency_cell(t, v, "latency_p99_us");
    mp_get_double(v->p, v->n, "cpu_percent", &cpu);
    table_cell(t, "%.1f%%", cpu);
    table_cell(t, "%s", human_bytes(s, sizeof s, number(v->report, v->report_n, "memory_bytes")));
    age_cell(t, number(v->report, v->report_n, "last_message"));
}

static void stage_row(struct table *t, const struct view *v) {
    char up[CELL];
    uint64_t pid = number(v->p, v->n, "pid");
    text_cell(t, v, "name");
    text_cell(t, v, "state");
    text_cell(t, v, "cause");
    snprintf(up, sizeof up, "%llu", (unsigned long long)pid);
    table_cell(t, "%s", pid ? up : "");
    table_cell(t, "%s", pid ? human_ms(up, sizeof up, number(v->p, v->n, "uptime_ms")) : "");
    table_cell(t, "%llu", (unsigned long long)number(v->p, v->n, "restarts"));
    if (v->report)
        reported_cells(t, v);
    else
        while (t->at)
            table_cell(t, "%s", "");
}

/* What ails it, in words: lines of their own, not cells. */
static void note_row(struct table *t, const struct view *v) {
    char name[CELL], note[200];
    if (text(v, "cause_text", note, sizeof note)[0])
        buf_printf(&t->cells, "%s: %s\n", text(v, "name", name, sizeof name), note);
}

static void put_stages(struct buf *out, const struct buf *reply) {
    static const char *const titles[] = {"stage", "state", "cause",  "pid",     "up",    "restarts",
                                         "in/s",  "out/s", "lost",   "dropped", "queue", "p50",
                                         "p99",   "cpu",   "memory", "age"};
    struct table t = {.columns = sizeof titles / sizeof *titles, .left = 3};
    for (int i = 0; i < t.columns; i++)
        table_cell(&t, "%s", titles[i]);
    each(reply, "stages", &t, stage_row);
    table_put(&t, out);
    each(reply, "stages", &t, note_row);
    buf_put(out, buf_data(&t.cells), buf_len(&t.cells));
    table_free(&t);
}

/* ---- wires ---- */

static const char *const wire_keys[] = {"from", "to",      "via",     "sent",   "received",
                                        "lost", "crashed", "dropped", "queued", "unaccounted"};
enum { WIRE_KEYS = sizeof wire_keys / sizeof *wire_keys, WIRE_WORDS = 3 };

static void wire_row(struct table *t, const struct view *v) {
    for (int i = 0; i < WIRE_WORDS; i++)
        text_cell(t, v, wire_keys[i]);
    for (int i = WIRE_WORDS; i < WIRE_KEYS; i++) {
        int64_t n;
        if (mp_get_int(v->p, v->n, wire_keys[i], &n))
            table_cell(t, "%lld", (long long)n);
        else
            table_cell(t, "unknown");
    }
}

static void put_wires(struct buf *out, const struct buf *reply) {
    struct table t = {.columns = WIRE_KEYS, .left = WIRE_WORDS};
    for (int i = 0; i < WIRE_KEYS; i++)
        table_cell(&t, "%s", wire_keys[i]);
    each(reply, "wires", &t, wire_row);
    buf_putc(out, '\n');
    table_put(&t, out);
    table_free(&t);
}

/* ---- the whole ---- */

static void put_head(struct buf *out, const struct buf *reply) {
    struct view v = {.p = buf_data(reply), .n = buf_len(reply)};
    char name[CELL], state[CELL], file[512], open[512], up[CELL];
    text(&v, "open", open, sizeof open);
    buf_printf(out, "pipeline %s: %s, up %s, process %llu, %s%s%s\n\n",
               text(&v, "pipeline", name, sizeof name), text(&v, "state", state, sizeof state),
               human_ms(up, sizeof up, number(v.p, v.n, "uptime_ms")),
               (unsigned long long)number(v.p, v.n, "pid"), text(&v, "file", file, sizeof file),
               open[0] ? ", " : "", open);
}

static void put_balance(struct buf *out, const struct buf *reply) {
    struct view v = {0};
    const char *s;
    size_t n;
    if (find_map(buf_data(reply), buf_len(reply), "balance", &v.p, &v.n) &&
        mp_get_str(v.p, v.n, "text", &s, &n))
        buf_printf(out, "\n%.*s\n", (int)n, s);
}

static void put_json(struct buf *out, const struct buf *reply) {
    struct mp_cursor c = {buf_data(reply), buf_data(reply) + buf_len(reply)};
    json_from_mp(out, &c, NULL);
    buf_putc(out, '\n');
}

static void put_reply(struct buf *out, const struct buf *reply) {
    if (as_json) {
        put_json(out, reply);
        return;
    }
    put_head(out, reply);
    put_stages(out, reply);
    if (show_wires)
        put_wires(out, reply);
    put_balance(out, reply);
}

static size_t count_lines(const struct buf *b) {
    size_t n = 0;
    for (size_t i = 0; i < buf_len(b); i++)
        n += buf_data(b)[i] == '\n';
    return n;
}

/* Of what is higher than the screen, how much can be drawn over: the last row holds the cursor. */
static size_t rows_shown(size_t lines) {
    struct winsize w;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 3;
    return known && lines >= w.ws_row ? (size_t)w.ws_row - 2 : lines;
}

/* In place: each line over the old one, and what stood below is cleared, so that nothing flickers.
 * Long lines end at the edge (no wrapping meanwhile), or there would be more of them. */
static void print_over(struct buf *out) {
    struct buf screen = {0};
    size_t lines = count_lines(out), rows = rows_shown(lines);
    buf_puts(&screen, "\033[H\033[?7l");
    for (size_t i = 0; i < rows; i++) {
        const char *line = (const char *)buf_data(out);
        size_t n = (size_t)((const char *)memchr(line, '\n', buf_len(out)) - line);
        buf_printf(&screen, "%.*s\033[K\n", (int)n, line);
        buf_consume(out, n + 1);
    }
    if (rows < lines)
        buf_printf(&screen, "and %zu lines more\033[K\n", lines - rows);
    buf_puts(&screen, "\033[J\033[?7h");
    fwrite(buf_data(&screen), 1, buf_len(&screen), stdout);
    buf_free(&screen);
}

static void print(struct buf *out) {
    if (watch && isatty(STDOUT_FILENO))
        print_over(out);
    else
        fwrite(buf_data(out), 1, buf_len(out), stdout);
    fflush(stdout);
}

static int show(void) {
    struct buf request = {0}, reply = {0}, out = {0};
    rpc_request_begin(&request, "status", 0);
    int r = pick_ask(&request, &reply);
    if (r == 0) {
        put_reply(&out, &reply);
        print(&out);
    }
    buf_free(&request);
    buf_free(&reply);
    buf_free(&out);
    return r;
}

int status_main(int argc, char **argv) {
    struct running r;
    struct err e;
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n > 1)
        return opt_usage_error(&program, "unexpected argument \"%s\"", argv[2]);
    if (pick_pipeline(n ? argv[1] : NULL, &r, &e) < 0)
        return pick_fail(&e);
    if (watch && isatty(STDOUT_FILENO))
        fputs("\033[2J", stdout);
    while (show() == 0) {
        if (!watch || ferror(stdout))
            return 0;
        poll(NULL, 0, WATCH_MS);
    }
    return 1;
}
