/* lines: the bytes that a child writes, cut into lines fit for a log. Pure. */
#ifndef SUPERVISOR_LINES_H
#define SUPERVISOR_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { LINE_BYTES = 4096 /* a longer line is cut */ };

struct lines {
    char part[LINE_BYTES];
    size_t n;
    bool cut; /* the rest of this line is thrown away */
};

typedef void (*lines_take)(void *ctx, int level, const char *text);

/* Hand every complete line in bytes to take: NUL-terminated UTF-8, with control characters shown as
 * \xNN; a "<N>" in front is its syslog level and is taken off; without one it is LOG_INFO. */
void lines_feed(struct lines *l, const void *bytes, size_t n, lines_take take, void *ctx);
/* What is left is a line, too. */
void lines_end(struct lines *l, lines_take take, void *ctx);

#endif
