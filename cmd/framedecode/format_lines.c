/* Lines of text, whatever they mean: message `line {text}`; bytes that are no UTF-8 as `data`. */
#include <stdlib.h>

#include "codec/lines.h"
#include "format.h"
#include "log.h"
#include "utf8.h"

struct decoder {
    struct stage *st;
    struct lines lines;
    uint64_t time_ns;
};

static int64_t max_line = 4096;

static const struct opt options[] = {
    {"max-line", 0, OPT_SIZE, &max_line, "SIZE", "lines: a longer line is thrown away", 1, 1 << 20},
    {NULL, 0, OPT_FLAG, NULL, NULL, NULL, 0, 0}};

static void on_line(void *ctx, const char *s, size_t n) {
    static struct log_limit limit;
    struct decoder *d = ctx;
    if (!s) {
        d->st->stats.bad++;
        log_limited(&limit, LOG_WARN, "line of more than %zu bytes thrown away", n);
        return;
    }
    struct buf *b = stage_begin(d->st, "line", d->time_ns, 1);
    if (utf8_valid(s, n))
        mp_kv_strn(b, "text", s, n);
    else
        mp_kv_bin(b, "data", s, n);
    stage_end(d->st);
}

static void *line_open(struct stage *st, struct err *e) {
    (void)e;
    struct decoder *d = mem_alloc(sizeof *d);
    d->st = st;
    lines_init(&d->lines, (size_t)max_line);
    stage_counter(st, "lines", &d->lines.lines);
    stage_counter(st, "overlong", &d->lines.overlong);
    return d;
}

static void feed(void *ctx, const uint8_t *p, size_t n, uint64_t time_ns) {
    struct decoder *d = ctx;
    d->time_ns = time_ns;
    lines_feed(&d->lines, p, n, on_line, d);
}

static void reset(void *ctx) {
    struct decoder *d = ctx;
    lines_reset(&d->lines);
}

static void line_close(void *ctx) {
    struct decoder *d = ctx;
    lines_free(&d->lines);
    free(d);
}

const struct format format_lines = {
    .name = "lines",
    .summary = "lines of text",
    .options = options,
    .open = line_open,
    .feed = feed,
    .reset = reset,
    .close = line_close,
};
