#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "mp.h"
#include "utf8.h"

enum { STAGES_MAX = 256, WIRES_MAX = 512 };

/* A map inside the reply. */
struct map {
    const uint8_t *p;
    size_t n;
};

struct stage_view {
    struct map stage, report; /* report.p NULL: none */
};

struct status {
    struct map reply;
    struct stage_view stage[STAGES_MAX];
    size_t stages;
    struct map wire[WIRES_MAX];
    size_t wires;
};

/* A number of the reply as a metric: value / 10^digits. */
struct family {
    const char *name, *type, *key;
    unsigned digits;
    const char *help;
};

/* ---- reading ---- */

static bool map_in(const struct map *m, const char *key, struct map *out) {
    struct mp_value v;
    struct mp_cursor at;
    if (!m->p || !mp_find(m->p, m->n, key, &v, &at) || v.type != MP_MAP)
        return false;
    *out = (struct map){at.at, (size_t)(at.end - at.at)};
    return true;
}

static size_t list_in(const struct map *m, const char *key, struct map *out, size_t most) {
    struct mp_value v;
    struct mp_cursor at;
    size_t n = 0;
    if (!mp_find(m->p, m->n, key, &v, &at) || v.type != MP_ARRAY || mp_read(&at, &v) != 1)
        return 0;
    for (uint32_t i = 0; i < v.len && n < most; i++) {
        out[n].p = at.at;
        if (mp_skip(&at) != 1)
            break;
        out[n].n = (size_t)(at.at - out[n].p);
        n++;
    }
    return n;
}

static bool same_text(const struct map *a, const struct map *b, const char *key) {
    const char *s = "", *t = "";
    size_t n = 0, m = 0;
    mp_get_str(a->p, a->n, key, &s, &n);
    mp_get_str(b->p, b->n, key, &t, &m);
    return n == m && memcmp(s, t, n) == 0;
}

static void read_stages(struct status *s) {
    static struct map list[STAGES_MAX];
    s->stages = list_in(&s->reply, "stages", list, STAGES_MAX);
    for (size_t i = 0; i < s->stages; i++) {
        s->stage[i] = (struct stage_view){.stage = list[i]};
        map_in(&list[i], "report", &s->stage[i].report);
    }
}

/* Two samples of one name and one set of labels would spoil everything for Prometheus. */
static bool is_second(const struct status *s, const struct map *wire) {
    for (size_t i = 0; i < s->wires; i++)
        if (same_text(&s->wire[i], wire, "from") && same_text(&s->wire[i], wire, "to") &&
            same_text(&s->wire[i], wire, "via"))
            return true;
    return false;
}

static void read_wires(struct status *s) {
    static struct map list[WIRES_MAX];
    size_t n = list_in(&s->reply, "wires", list, WIRES_MAX);
    s->wires = 0;
    for (size_t i = 0; i < n; i++)
        if (!is_second(s, &list[i]))
            s->wire[s->wires++] = list[i];
}

/* ---- writing ---- */

static void put_head(struct buf *b, const char *name, const char *type, const char *help) {
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Backslash, quote and line break escaped; what is not UTF-8 becomes U+FFFD. */
static void put_label_text(struct buf *b, const char *s, size_t n) {
    for (size_t i = 0; i < n;) {
        int step = utf8_step(s + i, n - i);
        if (step < 0)
            buf_puts(b, "\xef\xbf\xbd");
        else if (s[i] == '\n')
            buf_puts(b, "\\n");
        else if (s[i] == '\\' || s[i] == '"')
            buf_printf(b, "\\%c", s[i]);
        else
            buf_put(b, s + i, (size_t)step);
        i += (size_t)(step < 0 ? -step : step);
    }
}

static void put_label(struct buf *b, const char *label, const struct map *m, const char *key) {
    const char *s = "";
    size_t n = 0;
    mp_get_str(m->p, m->n, key, &s, &n);
    buf_printf(b, "%s=\"", label);
    put_label_text(b, s, n);
    buf_putc(b, '"');
}

/* value / 10^digits, exactly. */
static void put_number(struct buf *b, uint64_t value, unsigned digits) {
    unsigned long long unit = 1;
    for (unsigned i = 0; i < digits; i++)
        unit *= 10;
    if (digits)
        buf_printf(b, " %llu.%0*llu\n", value / unit, (int)digits, value % unit);
    else
        buf_printf(b, " %llu\n", (unsigned long long)value);
}

/* ---- stages: numbers ---- */

/* From the supervisor. */
static const struct family of_stage[] = {
    {"tapline_stage_uptime_seconds", "gauge", "uptime_ms", 3,
     "Since its last start, 0 while down."},
    {"tapline_stage_restarts_total", "counter", "restarts", 0, "Starts after the first."}};
/* From the stage's own report. */
static const struct family of_report[] = {
    {"tapline_stage_messages_in_total", "counter", "in", 0, "Messages taken in."},
    {"tapline_stage_messages_out_total", "counter", "out", 0, "Messages published."},
    {"tapline_stage_in_bytes_total", "counter", "in_bytes", 0, "Bytes taken in."},
    {"tapline_stage_out_bytes_total", "counter", "out_bytes", 0, "Bytes published."},
    {"tapline_stage_lost_total", "counter", "lost", 0,
     "Messages that were sent to the stage and never came, by sequence number."},
    {"tapline_stage_dropped_total", "counter", "dropped", 0, "Messages the stage threw away."},
    {"tapline_stage_bad_total", "counter", "bad", 0, "Pieces of input that made no sense."},
    {"tapline_stage_queue", "gauge", "queue", 0, "Things waiting inside the stage."},
    {"tapline_stage_cpu_seconds_total", "counter", "cpu_us", 6, "Time on a processor."},
    {"tapline_stage_resident_memory_bytes", "gauge", "memory_bytes", 0, "Memory in use."},
    {"tapline_stage_last_message_timestamp_seconds", "gauge", "last_message", 9,
     "When the last message went in or out, Unix time; absent before the first."}};

static bool never(const struct family *f, uint64_t value) {
    return value == 0 && strcmp(f->key, "last_message") == 0;
}

static void put_family(struct buf *b, const struct status *s, const struct family *f, bool report) {
    put_head(b, f->name, f->type, f->help);
    for (size_t i = 0; i < s->stages; i++) {
        const struct map *from = report ? &s->stage[i].report : &s->stage[i].stage;
        uint64_t value;
        if (!from->p || !mp_get_uint(from->p, from->n, f->key, &value) || never(f, value))
            continue;
        buf_printf(b, "%s{", f->name);
        put_label(b, "stage", &s->stage[i].stage, "name");
        buf_putc(b, '}');
        put_number(b, value, f->digits);
    }
}

/* ---- stages: state ---- */

static void put_states(struct buf *b, const char *name, const struct map *m, const char *stage,
                       const char *const *state) {
    char is[32] = "";
    mp_get_cstr(m->p, m->n, "state", is, sizeof is);
    for (; *state; state++) {
        buf_printf(b, "%s{", name);
        if (stage) {
            put_label(b, "stage", m, stage);
            buf_putc(b, ',');
        }
        buf_printf(b, "state=\"%s\"} %d\n", *state, strcmp(is, *state) == 0);
    }
}

static void put_stage_states(struct buf *b, const struct status *s) {
    static const char name[] = "tapline_stage_state", up[] = "tapline_stage_up";
    static const char *const states[] = {"down",        "starting", "ready", "stopping",
                                         "backing off", "failed",   NULL};
    char is[32];
    put_head(b, name, "gauge", "1 for the state the stage is in.");
    for (size_t i = 0; i < s->stages; i++)
        put_states(b, name, &s->stage[i].stage, "name", states);
    put_head(b, up, "gauge", "Whether the stage is ready.");
    for (size_t i = 0; i < s->stages; i++) {
        const struct map *m = &s->stage[i].stage;
        bool ready = mp_get_cstr(m->p, m->n, "state", is, sizeof is) && strcmp(is, "ready") == 0;
        buf_printf(b, "%s{", up);
        put_label(b, "stage", m, "name");
        buf_printf(b, "} %d\n", ready);
    }
}

static void put_stage_info(struct buf *b, const struct status *s) {
    static const char name[] = "tapline_stage_info";
    put_head(b, name, "gauge", "What the stage is: its section of the pipeline file, its program.");
    for (size_t i = 0; i < s->stages; i++) {
        buf_printf(b, "%s{", name);
        put_label(b, "stage", &s->stage[i].stage, "name");
        buf_putc(b, ',');
        put_label(b, "section", &s->stage[i].stage, "section");
        buf_putc(b, ',');
        put_label(b, "program", &s->stage[i].stage, "program");
        buf_puts(b, "} 1\n");
    }
}

/* ---- stages: latency ---- */

/* Powers of two of microseconds, 2^5 (32 us) to 2^24 (17 s): every one is an edge of the stages'
 * own finer buckets, so that the counts are exact. */
enum { LE_FIRST = 5, LE_LAST = 24 };

/* The stage's own buckets, [[edge us, cumulative count], ...]: how many took at most edge_us. *at
 * goes on from the last call. */
static uint64_t count_up_to(struct mp_cursor *at, uint32_t *left, uint64_t edge_us, uint64_t seen) {
    while (*left) {
        struct mp_cursor next = *at;
        struct mp_value pair, edge, count;
        if (mp_read(&next, &pair) != 1 || pair.type != MP_ARRAY || pair.len != 2 ||
            mp_read(&next, &edge) != 1 || edge.type != MP_UINT || mp_read(&next, &count) != 1 ||
            count.type != MP_UINT || edge.u > edge_us)
            return seen;
        seen = count.u > seen ? count.u : seen;
        *at = next;
        --*left;
    }
    return seen;
}

static void put_bucket(struct buf *b, const struct map *stage, uint64_t le_us, uint64_t count) {
    buf_puts(b, "tapline_stage_latency_seconds_bucket{");
    put_label(b, "stage", stage, "name");
    if (le_us)
        buf_printf(b, ",le=\"%.9g\"} %llu\n", (double)le_us / 1e6, (unsigned long long)count);
    else
        buf_printf(b, ",le=\"+Inf\"} %llu\n", (unsigned long long)count);
}

static void put_sum(struct buf *b, const struct map *stage, const char *what, uint64_t value,
                    unsigned digits) {
    buf_printf(b, "tapline_stage_latency_seconds_%s{", what);
    put_label(b, "stage", stage, "name");
    buf_putc(b, '}');
    put_number(b, value, digits);
}

static void put_histogram(struct buf *b, const struct stage_view *v) {
    const struct map *r = &v->report;
    struct mp_value list;
    struct mp_cursor at;
    uint64_t count, sum, seen = 0;
    if (!r->p || !mp_get_uint(r->p, r->n, "latency_count", &count) ||
        !mp_get_uint(r->p, r->n, "latency_sum_us", &sum) ||
        !mp_find(r->p, r->n, "latency_buckets_us", &list, &at) || list.type != MP_ARRAY ||
        mp_read(&at, &list) != 1)
        return;
    for (unsigned k = LE_FIRST; k <= LE_LAST; k++) {
        seen = count_up_to(&at, &list.len, (1ull << k) - 1, seen);
        seen = seen < count ? seen : count;
        put_bucket(b, &v->stage, 1ull << k, seen);
    }
    put_bucket(b, &v->stage, 0, count);
    put_sum(b, &v->stage, "sum", sum, 6);
    put_sum(b, &v->stage, "count", count, 0);
}

static void put_latency(struct buf *b, const struct status *s) {
    put_head(b, "tapline_stage_latency_seconds", "histogram",
             "From the entry into tapline until the stage was done with it.");
    for (size_t i = 0; i < s->stages; i++)
        put_histogram(b, &s->stage[i]);
}

/* ---- stages: counters of their own ---- */

static void put_own(struct buf *b, const struct stage_view *v) {
    struct map counters;
    struct mp_value head, key, value;
    if (!map_in(&v->report, "counters", &counters))
        return;
    struct mp_cursor at = {counters.p, counters.p + counters.n};
    if (mp_read(&at, &head) != 1)
        return;
    for (uint32_t i = 0; i < head.len; i++) {
        if (mp_read(&at, &key) != 1 || mp_read(&at, &value) != 1 || key.type != MP_STR ||
            value.type != MP_UINT)
            return;
        buf_puts(b, "tapline_stage_own_total{");
        put_label(b, "stage", &v->stage, "name");
        buf_puts(b, ",counter=\"");
        put_label_text(b, (const char *)key.p, key.len);
        buf_puts(b, "\"}");
        put_number(b, value.u, 0);
    }
}

static void put_counters(struct buf *b, const struct status *s) {
    put_head(b, "tapline_stage_own_total", "counter",
             "What the program itself counts, by the names of its report.");
    for (size_t i = 0; i < s->stages; i++)
        put_own(b, &s->stage[i]);
}

/* ---- wires ---- */

static const struct family of_wire[] = {
    {"tapline_wire_sent_total", "counter", "sent", 0, "Messages put into the wire."},
    {"tapline_wire_received_total", "counter", "received", 0, "Messages taken out of it."},
    {"tapline_wire_lost_total", "counter", "lost", 0, "Messages missing at its end."},
    {"tapline_wire_dropped_total", "counter", "dropped", 0, "Messages its beginning threw away."},
    {"tapline_wire_queued", "gauge", "queued", 0, "What waits at its beginning."}};

static void put_wires(struct buf *b, const struct status *s, const struct family *f) {
    put_head(b, f->name, f->type, f->help);
    for (size_t i = 0; i < s->wires; i++) {
        const struct map *w = &s->wire[i];
        uint64_t value;
        if (!mp_get_uint(w->p, w->n, f->key, &value))
            continue;
        buf_printf(b, "%s{", f->name);
        put_label(b, "from", w, "from");
        buf_putc(b, ',');
        put_label(b, "to", w, "to");
        buf_putc(b, ',');
        put_label(b, "via", w, "via");
        buf_putc(b, '}');
        put_number(b, value, f->digits);
    }
}

/* ---- the pipeline ---- */

static void put_pipeline(struct buf *b, const struct map *m) {
    static const char state[] = "tapline_pipeline_state";
    static const char *const states[] = {"starting", "ready", "degraded", "stopping", NULL};
    uint64_t up_ms;
    put_head(b, "tapline_pipeline_info", "gauge", "The pipeline's name and tapline's version.");
    buf_puts(b, "tapline_pipeline_info{");
    put_label(b, "pipeline", m, "pipeline");
    buf_putc(b, ',');
    put_label(b, "version", m, "version");
    buf_puts(b, "} 1\n");
    put_head(b, state, "gauge", "1 for the state the pipeline is in.");
    put_states(b, state, m, NULL, states);
    if (!mp_get_uint(m->p, m->n, "uptime_ms", &up_ms))
        return;
    put_head(b, "tapline_pipeline_uptime_seconds", "gauge", "Since the supervisor was started.");
    buf_puts(b, "tapline_pipeline_uptime_seconds");
    put_number(b, up_ms, 3);
}

void metrics_put(struct buf *out, const uint8_t *p, size_t n) {
    static struct status s;
    s.reply = (struct map){p, n};
    read_stages(&s);
    read_wires(&s);
    put_pipeline(out, &s.reply);
    put_stage_info(out, &s);
    put_stage_states(out, &s);
    for (size_t i = 0; i < sizeof of_stage / sizeof *of_stage; i++)
        put_family(out, &s, &of_stage[i], false);
    for (size_t i = 0; i < sizeof of_report / sizeof *of_report; i++)
        put_family(out, &s, &of_report[i], true);
    put_latency(out, &s);
    put_counters(out, &s);
    for (size_t i = 0; s.wires && i < sizeof of_wire / sizeof *of_wire; i++)
        put_wires(out, &s, &of_wire[i]);
}
