#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "human.h"
#include "table.h"
#include "tap.h"

void tap_rate_count(struct tap_rate *r, const char *from, const struct msg *m) {
    if (!r->shown_ns)
        r->shown_ns = clock_mono_ns();
    topics_count(&r->topics, from, m, clock_wall_ns());
}

static void put_rates(struct table *t, struct topic *row, double seconds) {
    char text[32];
    double n = (double)(row->count - row->shown_count), b = (double)(row->bytes - row->shown_bytes);
    table_cell(t, "%s", human_count(text, sizeof text, n > 0 ? n / seconds : 0));
    table_cell(t, "%s", human_bytes(text, sizeof text, (uint64_t)(b / seconds)));
    row->shown_count = row->count;
    row->shown_bytes = row->bytes;
}

static void put_row(struct table *t, struct topic *row, double seconds, uint64_t now) {
    char text[32];
    table_cell(t, "%s", row->source);
    table_cell(t, "%s", row->name);
    put_rates(t, row, seconds);
    table_cell(t, "%s", human_count(text, sizeof text, (double)row->count));
    table_cell(t, "%llu", (unsigned long long)row->gaps);
    table_cell(t, "%llu", (unsigned long long)row->lost);
    table_cell(t, "%llu", (unsigned long long)row->seq);
    table_cell(
        t, "%s",
        human_ms(text, sizeof text, now > row->last_ns ? (now - row->last_ns) / 1000000u : 0));
}

/* What is higher than the screen cannot be drawn over. */
static size_t rows_shown(const struct tap_rate *r) {
    struct winsize w;
    size_t n = r->topics.n;
    if (r->in_place && ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_row > 3 &&
        n > (size_t)w.ws_row - 3)
        n = (size_t)w.ws_row - 3;
    return n;
}

void tap_rate_show(struct tap_rate *r, struct buf *b) {
    static const char *const titles[] = {"from", "topic", "msg/s", "bytes/s", "count",
                                         "gaps", "lost",  "seq",   "age"};
    struct table t = {.columns = 9, .left = 2};
    uint64_t mono = clock_mono_ns(), wall = clock_wall_ns();
    double seconds = r->shown_ns && mono > r->shown_ns ? (double)(mono - r->shown_ns) / 1e9 : 1;
    r->shown_ns = mono;
    topics_sort(&r->topics);
    size_t rows = rows_shown(r);
    for (int c = 0; c < t.columns; c++)
        table_cell(&t, "%s", titles[c]);
    for (size_t i = 0; i < rows; i++)
        put_row(&t, r->topics.row[i], seconds, wall);
    if (r->in_place && r->lines)
        buf_printf(b, "\033[%dA\033[J", r->lines);
    table_put(&t, b);
    if (rows < r->topics.n)
        buf_printf(b, "and %zu more\n", r->topics.n - rows);
    if (!r->in_place)
        buf_putc(b, '\n');
    r->lines = (int)rows + 1 + (rows < r->topics.n);
    table_free(&t);
}

void tap_rate_free(struct tap_rate *r) {
    topics_free(&r->topics);
}
