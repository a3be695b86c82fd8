#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "msg.h"
#include "utf8.h"

enum {
    LINE_MAX_BYTES = 2048,
    KEPT_BYTES = 16 << 10,
    WRITE_BYTES = 4096 /* PIPE_BUF: all or none */
};

static const char *program = "tapline";
static enum log_level shown = LOG_INFO;
static bool supervised;
static bool colour;
static int out_fd = STDERR_FILENO;
static uint64_t lost; /* lines that did not fit into the pipe */

/* Lines waiting for log_flush; lines are kept whole. */
static char kept[KEPT_BYTES];
static size_t kept_len;
static void (*arm_flush)(void);
static void (*also)(enum log_level level, const char *text);

bool log_supervised(void) {
    const char *name = getenv("TAPLINE_STAGE");
    return name && *name;
}

/* A pipe to the supervisor, opened anew so that only our side of it is non-blocking. */
static void own_pipe(void) {
    struct stat st;
    if (!supervised || out_fd != STDERR_FILENO || fstat(STDERR_FILENO, &st) < 0 ||
        !S_ISFIFO(st.st_mode))
        return;
    int fd = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0)
        out_fd = fd;
}

void log_init(const char *name, enum log_level level) {
    program = name;
    shown = level;
    supervised = log_supervised();
    const char *no = getenv("NO_COLOR");
    colour = isatty(STDERR_FILENO) && !(no && *no);
    own_pipe();
}

enum log_level log_level(void) {
    return shown;
}

/* ---- writing ---- */

static size_t count_lines(const char *p, size_t n) {
    size_t lines = 0;
    for (size_t i = 0; i < n; i++)
        lines += p[i] == '\n';
    return lines;
}

static bool write_piece(const char *p, size_t n) {
    ssize_t w;
    while ((w = write(out_fd, p, n)) < 0 && errno == EINTR)
        ;
    return w >= 0;
}

static void tell_lost(void) {
    char text[80];
    int n = snprintf(text, sizeof text, "<4>%llu log lines were lost: the log was not read\n",
                     (unsigned long long)lost);
    if (write_piece(text, (size_t)n))
        lost = 0;
}

/* Whole lines, cut so that each write is taken as one piece or not at all. */
static void write_lines(const char *p, size_t n) {
    while (n) {
        size_t piece = n;
        if (piece > WRITE_BYTES) {
            const char *end = memrchr(p, '\n', WRITE_BYTES);
            piece = end ? (size_t)(end - p) + 1 : WRITE_BYTES;
        }
        if (lost)
            tell_lost();
        if (lost || !write_piece(p, piece))
            lost += count_lines(p, piece);
        p += piece;
        n -= piece;
    }
}

void log_flush(void) {
    size_t n = kept_len;
    kept_len = 0;
    write_lines(kept, n);
}

void log_defer(void (*arm)(void)) {
    static bool at_exit;
    if (arm && !at_exit)
        at_exit = atexit(log_flush) == 0;
    log_flush();
    arm_flush = arm;
}

static void emit(enum log_level level, const char *line, size_t n) {
    if (!arm_flush) {
        write_lines(line, n);
        return;
    }
    if (kept_len + n > sizeof kept)
        log_flush();
    memcpy(kept + kept_len, line, n);
    kept_len += n;
    if (level <= LOG_WARN)
        log_flush();
    else if (kept_len == n)
        arm_flush();
}

/* ---- lines ---- */

void log_also(void (*take)(enum log_level level, const char *text)) {
    also = take;
}

static const char *level_colour(enum log_level level) {
    return level <= LOG_ERROR ? "\033[31m" : level == LOG_WARN ? "\033[33m" : "";
}

static int line_head(char *line, size_t size, enum log_level level) {
    if (supervised)
        return snprintf(line, size, "<%d>", level > LOG_DEBUG ? LOG_DEBUG : (int)level);
    uint64_t now = clock_wall_ns();
    time_t sec = (time_t)(now / 1000000000u);
    struct tm tm;
    localtime_r(&sec, &tm);
    return snprintf(line, size, "%02d:%02d:%02d.%03u %s%.100s: ", tm.tm_hour, tm.tm_min, tm.tm_sec,
                    (unsigned)(now / 1000000u % 1000u), colour ? level_colour(level) : "", program);
}

static void write_line(enum log_level level, const char *fmt, va_list ap) {
    char line[LINE_MAX_BYTES];
    int n = line_head(line, sizeof line, level);
    vsnprintf(line + n, sizeof line - (size_t)n - 8, fmt, ap);
    for (char *c = line + n; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    if (also)
        also(level, line + n);
    size_t len = strlen(line);
    len += (size_t)snprintf(line + len, sizeof line - len, "%s\n",
                            colour && !supervised ? "\033[0m" : "");
    emit(level, line, len);
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

static void say(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(enum log_level level, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    write_line(level, fmt, ap);
    va_end(ap);
}

void log_limited(struct log_limit *l, enum log_level level, const char *fmt, ...) {
    if (shown < level)
        return;
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
    if (l->held)
        say(level, "%s (and %llu more like it)", text, (unsigned long long)l->held);
    else
        say(level, "%s", text);
    l->last_ns = now;
    l->held = 0;
}

/* ---- outside text ---- */

/* Bytes of the character at s that may be shown as they are; 0 = none. */
static size_t printable(const unsigned char *s, size_t n) {
    if (*s < 0x80)
        return *s >= ' ' && *s < 0x7f;
    int step = utf8_step(s, n);
    bool control = step == 2 && s[0] == 0xc2 && s[1] < 0xa0; /* U+0080 to U+009F */
    return step > 0 && !control ? (size_t)step : 0;
}

char *log_quote(char *out, size_t size, const void *text, size_t n) {
    const unsigned char *s = text;
    size_t o = 0;
    for (size_t i = 0; i < n;) {
        if (o + 8 > size) { /* four bytes of a character, three dots, NUL */
            snprintf(out + o, size - o, "...");
            return out;
        }
        size_t whole = printable(s + i, n - i);
        if (whole)
            memcpy(out + o, s + i, whole);
        else
            snprintf(out + o, size - o, "\\x%02x", s[i]);
        o += whole ? whole : 4;
        i += whole ? whole : 1;
    }
    out[o] = 0;
    return out;
}
