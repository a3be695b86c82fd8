#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void table_cell(struct table *t, const char *fmt, ...) {
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *shown = text[0] ? text : "-";
    int n = (int)strlen(shown);
    if (n > t->width[t->at])
        t->width[t->at] = n;
    buf_put(&t->cells, shown, (size_t)n + 1);
    t->at = (t->at + 1) % t->columns;
}

void table_put(struct table *t, struct buf *out) {
    int c = 0;
    while (buf_len(&t->cells)) {
        const char *text = (const char *)buf_data(&t->cells);
        int pad = c < t->left ? -t->width[c] : t->width[c];
        if (c == t->columns - 1 && c < t->left)
            pad = 0;
        buf_printf(out, "%s%*s", c ? "  " : "", pad, text);
        buf_consume(&t->cells, strlen(text) + 1);
        c = (c + 1) % t->columns;
        if (c == 0)
            buf_putc(out, '\n');
    }
    memset(t->width, 0, sizeof t->width);
}

void table_free(struct table *t) {
    buf_free(&t->cells);
}
