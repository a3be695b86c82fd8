#include "logline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum logline_style logline_style_for(int fd) {
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    if (!isatty(fd) || (no && *no) || (term && strcmp(term, "dumb") == 0))
        return LOGLINE_PLAIN;
    return LOGLINE_COLOUR;
}

static void put_time(struct buf *b, uint64_t time_ns, const char *format) {
    time_t sec = (time_t)(time_ns / 1000000000u);
    struct tm tm;
    char text[40];
    localtime_r(&sec, &tm);
    strftime(text, sizeof text, format, &tm);
    buf_printf(b, "%s.%03u ", text, (unsigned)(time_ns / 1000000u % 1000u));
}

/* The same in every run; red and yellow are for faults. */
static int stage_colour(const char *stage) {
    static const int colours[] = {32, 34, 35, 36, 92, 94, 95, 96};
    unsigned h = 5381;
    for (; *stage; stage++)
        h = h * 33 + (unsigned char)*stage;
    return colours[h % (sizeof colours / sizeof *colours)];
}

static void put_coloured(struct buf *b, const char *stage, int level, const char *text) {
    const char *fault = level <= LOG_ERROR ? "\033[31m" : level == LOG_WARN ? "\033[33m" : "";
    buf_printf(b, "\033[%dm%s:\033[0m %s", stage_colour(stage), stage, fault);
    buf_puts(b, text);
    buf_puts(b, fault[0] ? "\033[0m\n" : "\n");
}

void logline_put(struct buf *b, enum logline_style style, uint64_t time_ns, const char *stage,
                 int level, const char *text) {
    if (style == LOGLINE_LEVELS)
        buf_printf(b, "<%d>", level > LOG_DEBUG ? LOG_DEBUG : level);
    else
        put_time(b, time_ns, style == LOGLINE_DATED ? "%Y-%m-%d %H:%M:%S" : "%H:%M:%S");
    if (style == LOGLINE_COLOUR)
        put_coloured(b, stage, level, text);
    else
        buf_printf(b, "%s: %s\n", stage, text);
}
