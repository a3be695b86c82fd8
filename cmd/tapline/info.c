/* tapline info: what is in a recording.
 *
 * In:   recordings (- is standard input).
 * Out:  a table for people, or with --json an object a line.
 * Ends: 0 when all could be read, 1 when one could not or is damaged inside; a torn end is reported
 *       and no failure.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "human.h"
#include "json.h"
#include "log.h"
#include "opt.h"
#include "recording.h"
#include "table.h"
#include "topics.h"

static bool as_json;

static const struct opt options[] = {
    {"json", 0, OPT_FLAG, &as_json, NULL, "everything as JSON, a line a file", 0, 0},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static const struct opt_program program = {
    .name = "tapline info",
    .summary = "what is in a recording",
    .synopsis = "FILE...",
    .details = "lost: messages that were sent and never reached the recorder, by their sequence\n"
               "numbers. min, mean, max: messages in the seconds from a topic's first message to\n"
               "its last. first, last: seconds from the start.\n",
    .tables = {options},
};

struct info {
    const char *path;
    struct recording rec;
    struct topics topics;
    uint64_t gaps, lost;
};

static double seconds(const struct info *i, uint64_t at_ns) {
    return (double)(at_ns - i->rec.start_ns) / 1e9;
}

static int read_all(struct info *i, struct err *e) {
    struct msg m;
    int r;
    if (recording_open(&i->rec, i->path, e) < 0)
        return -1;
    while ((r = recording_next(&i->rec, &m, e)) == 1)
        topics_count(&i->topics, i->rec.source, &m, i->rec.at_ns);
    topics_sort(&i->topics);
    for (size_t k = 0; k < i->topics.n; k++) {
        i->gaps += i->topics.row[k]->gaps;
        i->lost += i->topics.row[k]->lost;
    }
    return r;
}

static double mean_rate(const struct topic *t) {
    return t->last_ns > t->first_ns
               ? (double)(t->count - 1) * 1e9 / (double)(t->last_ns - t->first_ns)
               : 0;
}

/* ---- for people ---- */

static const char *when(char *out, size_t size, uint64_t ns) {
    struct tm tm;
    time_t s = (time_t)(ns / 1000000000u);
    char text[40];
    if (!localtime_r(&s, &tm) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm))
        return strcpy(out, "?");
    snprintf(out, size, "%s.%03u", text, (unsigned)(ns / 1000000u % 1000u));
    return out;
}

static void print_head(const struct info *i) {
    const struct recording *r = &i->rec;
    char start[64], size[32], lasted[32];
    if (!r->begun) {
        printf("%s: empty\n", i->path);
        return;
    }
    printf("%s: %s from %s, %llu message%s, %sB%s%s%s%s\n", i->path,
           human_ms(lasted, sizeof lasted, (r->at_ns - r->start_ns) / 1000000u),
           when(start, sizeof start, r->start_ns), (unsigned long long)r->messages,
           r->messages == 1 ? "" : "s", human_bytes(size, sizeof size, r->bytes),
           r->host[0] ? ", on " : "", r->host, r->program[0] ? ", by " : "", r->program);
    for (size_t k = 0; k < r->source_count; k++)
        printf("%s%s", k ? ", " : "from ", r->sources[k]);
    printf(r->source_count ? "\n" : "");
}

static void put_rate(struct table *t, const struct topic *row) {
    char text[32];
    const struct topics_rate *r = &row->rate;
    table_cell(t, "%s", r->seconds ? human_count(text, sizeof text, (double)r->min) : "");
    table_cell(t, "%s", row->count > 1 ? human_count(text, sizeof text, mean_rate(row)) : "");
    table_cell(t, "%s", r->seconds ? human_count(text, sizeof text, (double)r->max) : "");
}

static void put_sizes(struct table *t, const struct topic *row) {
    char low[32], high[32];
    human_bytes(low, sizeof low, row->min_bytes);
    human_bytes(high, sizeof high, row->max_bytes);
    if (row->min_bytes == row->max_bytes)
        table_cell(t, "%s", low);
    else
        table_cell(t, "%s..%s", low, high);
    table_cell(t, "%s", human_bytes(low, sizeof low, row->bytes));
}

static void put_row(struct table *t, const struct info *i, const struct topic *row) {
    table_cell(t, "%s", row->source);
    table_cell(t, "%s", row->name);
    table_cell(t, "%llu", (unsigned long long)row->count);
    table_cell(t, "%llu", (unsigned long long)row->lost);
    table_cell(t, "%llu", (unsigned long long)row->gaps);
    put_rate(t, row);
    put_sizes(t, row);
    table_cell(t, "%.3f", seconds(i, row->first_ns));
    table_cell(t, "%.3f", seconds(i, row->last_ns));
}

/* All topics of the source that row k is the last of. */
static void put_total(struct table *t, const struct info *i, size_t k) {
    const struct topics *all = &i->topics;
    struct topic sum = {.min_bytes = UINT64_MAX, .first_ns = UINT64_MAX};
    size_t n = 0;
    if (k + 1 < all->n && strcmp(all->row[k]->source, all->row[k + 1]->source) == 0)
        return;
    for (size_t at = k + 1; at-- > 0 && strcmp(all->row[at]->source, all->row[k]->source) == 0;
         n++) {
        const struct topic *row = all->row[at];
        sum.count += row->count;
        sum.lost += row->lost;
        sum.gaps += row->gaps;
        sum.bytes += row->bytes;
        sum.min_bytes = row->min_bytes < sum.min_bytes ? row->min_bytes : sum.min_bytes;
        sum.max_bytes = row->max_bytes > sum.max_bytes ? row->max_bytes : sum.max_bytes;
        sum.first_ns = row->first_ns < sum.first_ns ? row->first_ns : sum.first_ns;
        sum.last_ns = row->last_ns > sum.last_ns ? row->last_ns : sum.last_ns;
    }
    strcpy(sum.source, all->row[k]->source);
    strcpy(sum.name, "(all)");
    if (n > 1)
        put_row(t, i, &sum);
}

static void print_table(const struct info *i) {
    static const char *const titles[] = {"source", "topic", "count", "lost",  "gaps",  "min/s",
                                         "mean/s", "max/s", "size",  "bytes", "first", "last"};
    struct table t = {.columns = 12, .left = 2};
    struct buf text = {0};
    for (int c = 0; c < t.columns; c++)
        table_cell(&t, "%s", titles[c]);
    for (size_t k = 0; k < i->topics.n; k++) {
        put_row(&t, i, i->topics.row[k]);
        put_total(&t, i, k);
    }
    table_put(&t, &text);
    fwrite(buf_data(&text), 1, buf_len(&text), stdout);
    buf_free(&text);
    table_free(&t);
}

static void print_people(const struct info *i) {
    const struct recording *r = &i->rec;
    print_head(i);
    if (i->topics.n)
        print_table(i);
    if (i->topics.unlisted)
        printf("%llu messages of topics beyond the first %d are not listed\n",
               (unsigned long long)i->topics.unlisted, TOPICS_MAX);
    if (r->skipped_bytes)
        printf("damaged: %llu bytes inside are no messages\n",
               (unsigned long long)r->skipped_bytes);
    if (r->torn_bytes)
        printf("torn end: the last message was cut off after %llu bytes\n",
               (unsigned long long)r->torn_bytes);
}

/* ---- for programs ---- */

static void put_json_topic(struct buf *b, const struct info *i, const struct topic *t) {
    mp_put_map(b, 16);
    mp_kv_str(b, "source", t->source);
    mp_kv_str(b, "topic", t->name);
    mp_kv_uint(b, "count", t->count);
    mp_kv_uint(b, "bytes", t->bytes);
    mp_kv_uint(b, "lost", t->lost);
    mp_kv_uint(b, "gaps", t->gaps);
    mp_kv_uint(b, "restarts", t->restarts);
    mp_kv_uint(b, "repeated", t->repeated);
    mp_kv_uint(b, "min_bytes", t->min_bytes);
    mp_kv_uint(b, "max_bytes", t->max_bytes);
    mp_kv_uint(b, "whole_seconds", t->rate.seconds);
    mp_kv_uint(b, "min_per_s", t->rate.min);
    mp_kv_double(b, "mean_per_s", mean_rate(t));
    mp_kv_uint(b, "max_per_s", t->rate.max);
    mp_kv_double(b, "first_s", seconds(i, t->first_ns));
    mp_kv_double(b, "last_s", seconds(i, t->last_ns));
}

static void put_json(struct buf *b, const struct info *i) {
    const struct recording *r = &i->rec;
    mp_put_map(b, 14);
    mp_kv_str(b, "file", i->path);
    mp_kv_str(b, "host", r->host);
    mp_kv_str(b, "program", r->program);
    mp_kv_uint(b, "start", r->start_ns);
    mp_kv_double(b, "duration_s", seconds(i, r->at_ns));
    mp_kv_uint(b, "messages", r->messages);
    mp_kv_uint(b, "bytes", r->bytes);
    mp_kv_uint(b, "lost", i->lost);
    mp_kv_uint(b, "gaps", i->gaps);
    mp_kv_uint(b, "skipped_bytes", r->skipped_bytes);
    mp_kv_uint(b, "torn_bytes", r->torn_bytes);
    mp_kv_uint(b, "unlisted", i->topics.unlisted);
    mp_put_str(b, "sources");
    mp_put_array(b, (uint32_t)r->source_count);
    for (size_t k = 0; k < r->source_count; k++)
        mp_put_str(b, r->sources[k]);
    mp_put_str(b, "topics");
    mp_put_array(b, (uint32_t)i->topics.n);
    for (size_t k = 0; k < i->topics.n; k++)
        put_json_topic(b, i, i->topics.row[k]);
}

static void print_json(const struct info *i) {
    struct buf map = {0}, text = {0};
    put_json(&map, i);
    struct mp_cursor c = {buf_data(&map), buf_data(&map) + buf_len(&map)};
    json_from_mp(&text, &c, NULL);
    printf("%.*s\n", (int)buf_len(&text), (const char *)buf_data(&text));
    buf_free(&map);
    buf_free(&text);
}

static int show(const char *path) {
    struct info i = {.path = path};
    struct err e;
    int r = read_all(&i, &e);
    if (r < 0)
        fprintf(stderr, "tapline info: %s%s%s\n", i.rec.fd < 0 ? "" : path,
                i.rec.fd < 0 ? "" : ": ", e.text);
    else if (as_json)
        print_json(&i);
    else
        print_people(&i);
    int status = r < 0 || i.rec.skipped_bytes > 0;
    recording_close(&i.rec);
    topics_free(&i.topics);
    return status;
}

int info_main(int argc, char **argv) {
    int n, status = opt_parse(&program, argc, argv, &n);
    if (status >= 0)
        return status;
    if (n < 1)
        return opt_usage_error(&program, "which recording?");
    for (int i = 1; i <= n; i++) {
        if (i > 1 && !as_json)
            printf("\n");
        status = show(argv[i]) || status > 0;
    }
    return status > 0;
}
