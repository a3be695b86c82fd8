#include "log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "msg.h"

enum { LINE_MAX_BYTES = 2048 };

static const char *program = "tapline";
static enum log_level shown = LOG_INFO;
static bool supervised;
static bool colour;

void log_init(const char *name, enum log_level level) {
    program = name;
    shown = level;
    supervised = getenv("TAPLINE_STAGE") != NULL;
    const char *no = getenv("NO_COLOR");
    colour = isatty(STDERR_FILENO) && !(no && *no);
}

enum log_level log_level(void) {
    return shown;
}

static const char *level_colour(enum log_level level) {
    return level <= LOG_ERROR ? "\033[31m" : level == LOG_WARN ? "\033[33m" : "";
}

static int line_head(char *line, size_t size, enum log_level level) {
    if (supervised)
        return snprintf(line, size, "<%d>", level > LOG_DEBUG ? LOG_DEBUG : level);
    uint64_t now = clock_wall_ns();
    time_t sec = (time_t)(now / 1000000000u);
    struct tm tm;
    localtime_r(&sec, &tm);
    return snprintf(line, size, "%02d:%02d:%02d.%03u %s%s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
                    (unsigned)(now / 1000000u % 1000u), colour ? level_colour(level) : "", program);
}

static void write_line(enum log_level level, const char *fmt, va_list ap) {
    char line[LINE_MAX_BYTES];
    int n = line_head(line, sizeof line, level);
    vsnprintf(line + n, sizeof line - (size_t)n - 8, fmt, ap);
    size_t len = strlen(line);
    len += (size_t)snprintf(line + len, sizeof line - len, "%s\n",
                            colour && !supervised ? "\033[0m" : "");
    ssize_t r = write(STDERR_FILENO, line, len);
    (void)r;
}

#define LOG_FUNCTION(name_, level_)                                                                \
    void name_(const char *fmt, ...) {                                                             \
        if (shown < (level_))                                                                      \
            return;                                                                                \
        va_list ap;                                                                                \
        va_start(ap, fmt);                                                                         \
        write_line(level_, fmt, ap);                                                               \
        va_end(ap);                                                                                \
    }

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)
LOG_FUNCTION(log_trace, LOG_TRACE)

void log_limited(struct log_limit *l, enum log_level level, const char *fmt, ...) {
    uint64_t now = clock_mono_ns();
    if (l->last_ns && now - l->last_ns < 1000000000u) {
        l->held++;
        return;
    }
    char text[LINE_MAX_BYTES / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    void (*say)(const char *, ...) = level <= LOG_ERROR  ? log_error
                                     : level == LOG_WARN ? log_warn
                                     : level == LOG_INFO ? log_info
                                                         : log_debug;
    if (l->held)
        say("%s (and %llu more like it)", text, (unsigned long long)l->held);
    else
        say("%s", text);
    l->last_ns = now;
    l->held = 0;
}

char *log_quote(char *out, size_t size, const void *text, size_t n) {
    const unsigned char *s = text;
    size_t o = 0;
    for (size_t i = 0; i < n; i++) {
        if (o + 8 > size) {
            snprintf(out + o - (o > 3 ? 3 : o), 4, "...");
            return out;
        }
        if (s[i] >= ' ' && s[i] < 0x7f)
            out[o++] = (char)s[i];
        else
            o += (size_t)snprintf(out + o, size - o, "\\x%02x", s[i]);
    }
    out[o] = 0;
    return out;
}
