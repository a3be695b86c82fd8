/* tapline status: what the supervisor knows about the stages of its pipeline, a line each. */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "human.h"
#include "json.h"
#include "msg.h"
#include "opt.h"
#include "pick.h"
#include "rpc.h"

enum { COLUMNS = 15, CELL = 64, ROWS_MAX = 256, WATCH_MS = 1000 };

static bool as_json, watch;

static const struct opt options[] = {
    {"json", 0, OPT_FLAG, &as_json, NULL, "everything the supervisor knows, as JSON", 0, 0},
    {"watch", 'w', OPT_FLAG, &watch, NULL, "again every second", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline status",
    .summary = "the stages of a running pipeline",
    .synopsis = "[NAME]",
    .details =
        "lost: messages that were sent and never came. queue: what waits inside the stage.\n"
        "p50, p99: how long ago what it handles entered tapline, over the last 10 to 20 seconds.\n"
        "age: since its last message.\n",
    .tables = {options, pick_options, NULL},
};

struct row {
    char cell[COLUMNS][CELL];
    char note[200]; /* what ails it, in words */
};

struct table {
    struct row row[ROWS_MAX];
    size_t n;
};

static const struct row titles = {{"stage", "state", "cause", "pid", "up", "restarts", "in/s",
                                   "out/s", "lost", "queue", "p50", "p99", "cpu", "memory", "age"},
                                  ""};

/* One stage's map, and its report's. */
struct view {
    const uint8_t *p, *report;
    size_t n, report_n;
};

static uint64_t number(const uint8_t *p, size_t n, const char *key) {
    uint64_t v = 0;
    mp_get_uint(p, n, key, &v);
    return v;
}

static double fraction(const struct view *v, const char *key) {
    double d = 0;
    mp_get_double(v->p, v->n, key, &d);
    return d;
}

static uint64_t reported(const struct view *v, const char *key) {
    return number(v->report, v->report_n, key);
}

static void age_cell(char *out, uint64_t last_ns) {
    uint64_t now = clock_wall_ns();
    if (last_ns)
        human_ms(out, CELL, now > last_ns ? (now - last_ns) / 1000000u : 0);
}

/* A time that nothing was measured for is no time. */
static void latency_cell(char *out, uint64_t us) {
    if (us)
        human_us(out, CELL, us);
}

static void put_reported(struct row *r, const struct view *v) {
    human_count(r->cell[6], CELL, fraction(v, "in_per_s"));
    human_count(r->cell[7], CELL, fraction(v, "out_per_s"));
    human_count(r->cell[8], CELL, (double)reported(v, "lost"));
    human_count(r->cell[9], CELL, (double)reported(v, "queue"));
    latency_cell(r->cell[10], reported(v, "latency_p50_us"));
    latency_cell(r->cell[11], reported(v, "latency_p99_us"));
    snprintf(r->cell[12], CELL, "%.1f%%", fraction(v, "cpu_percent"));
    human_bytes(r->cell[13], CELL, reported(v, "memory_bytes"));
    age_cell(r->cell[14], reported(v, "last_message"));
}

static void fill_row(struct row *r, const struct view *v) {
    uint64_t pid = number(v->p, v->n, "pid");
    mp_get_cstr(v->p, v->n, "name", r->cell[0], CELL);
    mp_get_cstr(v->p, v->n, "state", r->cell[1], CELL);
    mp_get_cstr(v->p, v->n, "cause", r->cell[2], CELL);
    mp_get_cstr(v->p, v->n, "cause_text", r->note, sizeof r->note);
    if (pid) {
        snprintf(r->cell[3], CELL, "%llu", (unsigned long long)pid);
        human_ms(r->cell[4], CELL, number(v->p, v->n, "uptime_ms"));
    }
    snprintf(r->cell[5], CELL, "%llu", (unsigned long long)number(v->p, v->n, "restarts"));
    if (v->report)
        put_reported(r, v);
}

static void find_report(struct view *v) {
    struct mp_value m;
    struct mp_cursor at;
    if (!mp_find(v->p, v->n, "report", &m, &at) || m.type != MP_MAP)
        return;
    v->report = at.at;
    v->report_n = (size_t)(at.end - at.at);
}

static void fill_table(struct table *t, const struct buf *reply) {
    struct mp_value list;
    struct mp_cursor at;
    *t = (struct table){.row = {titles}, .n = 1};
    if (!mp_find(buf_data(reply), buf_len(reply), "stages", &list, &at) || list.type != MP_ARRAY ||
        mp_read(&at, &list) != 1)
        return;
    for (uint32_t i = 0; i < list.len && t->n < ROWS_MAX; i++) {
        struct view v = {.p = at.at};
        if (mp_skip(&at) != 1)
            return;
        v.n = (size_t)(at.at - v.p);
        find_report(&v);
        fill_row(&t->row[t->n++], &v);
    }
}

static int width(const struct table *t, int column) {
    size_t most = 0;
    for (size_t i = 0; i < t->n; i++)
        if (strlen(t->row[i].cell[column]) > most)
            most = strlen(t->row[i].cell[column]);
    return (int)most;
}

/* Words to the left, numbers to the right. */
static void print_table(const struct table *t) {
    for (size_t i = 0; i < t->n; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            const char *cell = t->row[i].cell[c];
            printf(c < 3 ? "%s%-*s" : "%s%*s", c ? "  " : "", width(t, c), *cell ? cell : "-");
        }
        printf("\n");
    }
    for (size_t i = 1; i < t->n; i++)
        if (t->row[i].note[0])
            printf("%s: %s\n", t->row[i].cell[0], t->row[i].note);
}

static void print_head(const struct buf *reply) {
    const uint8_t *p = buf_data(reply);
    size_t n = buf_len(reply);
    char name[CELL] = "", state[CELL] = "", file[512] = "", open[512] = "", up[32];
    mp_get_cstr(p, n, "pipeline", name, sizeof name);
    mp_get_cstr(p, n, "state", state, sizeof state);
    mp_get_cstr(p, n, "file", file, sizeof file);
    mp_get_cstr(p, n, "open", open, sizeof open);
    printf("pipeline %s: %s, up %s, process %llu, %s%s%s\n\n", name, state,
           human_ms(up, sizeof up, number(p, n, "uptime_ms")),
           (unsigned long long)number(p, n, "pid"), file, open[0] ? ", " : "", open);
}

static void print_json(const struct buf *reply) {
    struct buf text = {0};
    struct mp_cursor c = {buf_data(reply), buf_data(reply) + buf_len(reply)};
    json_from_mp(&text, &c, NULL);
    printf("%.*s\n", (int)buf_len(&text), (const char *)buf_data(&text));
    buf_free(&text);
}

static void print_reply(const struct buf *reply) {
    static struct table t;
    if (as_json) {
        print_json(reply);
        return;
    }
    fill_table(&t, reply);
    if (watch && isatty(STDOUT_FILENO))
        printf("\033[H\033[2J");
    print_head(reply);
    print_table(&t);
}

static int show(void) {
    struct buf request = {0}, reply = {0};
    rpc_request_begin(&request, "status", 0);
    int r = pick_ask(&request, &reply);
    if (r == 0)
        print_reply(&reply);
    fflush(stdout);
    buf_free(&request);
    buf_free(&reply);
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
    while (show() == 0) {
        if (!watch || ferror(stdout))
            return 0;
        poll(NULL, 0, WATCH_MS);
    }
    return 1;
}
