/* logs: the lines of all stages and of the supervisor: shown on standard error, appended to a file,
 * kept in memory for `tapline logs`, published as log.line.
 */
#ifndef SUPERVISOR_LOGS_H
#define SUPERVISOR_LOGS_H

#include <uv.h>

#include "err.h"
#include "lines.h"
#include "log.h"
#include "logline.h"
#include "mp.h"
#include "sink.h"

enum { LOGS_LINES = 4000, LOGS_BYTES = 2 << 20 };

struct logs_line {
    uint64_t time_ns; /* wall clock */
    int level;
    char *stage; /* owned; text lies behind it */
    char *text;
};

struct logs {
    struct sink shown, file;
    enum logline_style style;
    int level; /* the most detailed that is shown */
    struct logs_line line[LOGS_LINES];
    size_t first, n, bytes;
    /* Each line as it comes; optional. */
    void (*on_line)(void *ctx, const struct logs_line *l);
    void *ctx;
};

/* path: file to append to, or NULL. */
int logs_open(struct logs *g, uv_loop_t *loop, const char *path, int level, struct err *e);
/* Detached: standard error leads nowhere from here on. */
void logs_hide(struct logs *g);
void logs_close(struct logs *g);
void logs_free(struct logs *g);

/* text must be clean (log_quote). */
void logs_add(struct logs *g, const char *stage, int level, const char *text);
/* A line of the supervisor's own. */
void logs_say(struct logs *g, int level, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

struct logs_wanted {
    const char *stage; /* NULL = all */
    int level;         /* the most detailed */
    uint64_t since_ns; /* only later ones */
    size_t most;       /* so many at the end */
};

/* Append the array of the lines wanted, oldest first: [{time, stage, level, text}, ...]. */
void logs_put(const struct logs *g, struct buf *b, const struct logs_wanted *w);

#endif
