#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "buf.h"

void lines_init(struct lines *l, size_t limit) {
    *l = (struct lines){.limit = limit ? limit : LINES_LIMIT};
    l->tail = mem_alloc(l->limit + 1);
}

void lines_free(struct lines *l) {
    free(l->tail);
    *l = (struct lines){0};
}

void lines_reset(struct lines *l) {
    l->len = 0;
    l->skipping = false;
}

static void overlong_report(struct lines *l, lines_fn *line, void *ctx) {
    l->overlong++;
    l->len = 0;
    line(ctx, NULL, l->limit);
}

/* False when the tail and these bytes cannot be the start of a line within the limit. */
static bool tail_add(struct lines *l, const uint8_t *p, size_t n) {
    size_t room = l->limit + 1 - l->len;
    if (n > room || (n == room && n > 0 && p[n - 1] != '\r'))
        return false;
    memcpy(l->tail + l->len, p, n);
    l->len += n;
    return true;
}

static void part_keep(struct lines *l, const uint8_t *p, size_t n, lines_fn *line, void *ctx) {
    if (l->skipping || tail_add(l, p, n))
        return;
    l->skipping = true;
    overlong_report(l, line, ctx);
}

static void line_give(struct lines *l, const char *s, size_t n, lines_fn *line, void *ctx) {
    if (n > 0 && s[n - 1] == '\r')
        n--;
    if (n > l->limit) {
        overlong_report(l, line, ctx);
        return;
    }
    l->lines++;
    l->len = 0;
    line(ctx, s, n);
}

static void line_end(struct lines *l, const uint8_t *p, size_t n, lines_fn *line, void *ctx) {
    if (l->skipping)
        l->skipping = false;
    else if (l->len == 0)
        line_give(l, (const char *)p, n, line, ctx);
    else if (tail_add(l, p, n))
        line_give(l, l->tail, l->len, line, ctx);
    else
        overlong_report(l, line, ctx);
}

void lines_feed(struct lines *l, const uint8_t *p, size_t n, lines_fn *line, void *ctx) {
    l->bytes += n;
    while (n > 0) {
        const uint8_t *lf = memchr(p, '\n', n);
        if (!lf) {
            part_keep(l, p, n, line, ctx);
            return;
        }
        size_t part = (size_t)(lf - p);
        line_end(l, p, part, line, ctx);
        p += part + 1;
        n -= part + 1;
    }
}
