#include "lines.h"

#include <string.h>

#include "log.h"

static const char CUT[] = " ... (cut)";

enum { CLEAN_BYTES = LINE_BYTES * 4 /* \xNN */ + 64 };

/* "<N>" as systemd reads it. */
static int take_level(const char **text, size_t *n) {
    const char *t = *text;
    if (*n < 3 || t[0] != '<' || t[1] < '0' || t[1] > '7' || t[2] != '>')
        return LOG_INFO;
    *text += 3;
    *n -= 3;
    return t[1] - '0';
}

static void finish(struct lines *l, lines_take take, void *ctx) {
    char clean[CLEAN_BYTES];
    const char *text = l->part;
    size_t n = l->n;
    if (n && text[n - 1] == '\r')
        n--;
    int level = take_level(&text, &n);
    log_quote(clean, sizeof clean - sizeof CUT, text, n);
    if (l->cut)
        strcat(clean, CUT);
    if (clean[0])
        take(ctx, level, clean);
    l->n = 0;
    l->cut = false;
}

static void append(struct lines *l, const char *p, size_t n) {
    size_t room = sizeof l->part - l->n;
    if (n > room) {
        l->cut = true;
        n = room;
    }
    for (size_t i = 0; i < n; i++)
        l->part[l->n++] = p[i] == '\t' ? ' ' : p[i];
}

void lines_feed(struct lines *l, const void *bytes, size_t n, lines_take take, void *ctx) {
    const char *at = bytes;
    while (n) {
        const char *end = memchr(at, '\n', n);
        size_t len = end ? (size_t)(end - at) : n;
        append(l, at, len);
        if (!end)
            return;
        finish(l, take, ctx);
        at = end + 1;
        n -= len + 1;
    }
}

void lines_end(struct lines *l, lines_take take, void *ctx) {
    if (l->n || l->cut)
        finish(l, take, ctx);
}
